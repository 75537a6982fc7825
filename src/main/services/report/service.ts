import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { Report } from '../../../shared/domain/index.ts';
import { renderFigure } from '../../exporters/figure.ts';
import { renderDocument } from '../../exporters/report/document.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import type { ModelShelf } from '../models/shelf.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { defaultReport, withWarnings } from './default.ts';
import { figureFor, figureName } from './figures.ts';
import { sweepMethods } from './methods.ts';
import { pairWarnings } from './pair-warnings.ts';
import { renderSection } from './sections.ts';
import { reportWarnings } from './warnings.ts';

/** The report that somebody saved, or one of what the study contains. Its warnings cannot be left out. */
function currentReport(study: Study): Report {
  return withWarnings(study.report.get() ?? defaultReport(study));
}

/** Every warning that the report must show. */
async function warningsOf(study: Study, shelf: ModelShelf): Promise<string[]> {
  const report = currentReport(study);
  return [...reportWarnings(study, report), ...(await pairWarnings(study, shelf, report))];
}

/** The whole report as one HTML file that needs nothing else. */
function reportHtml(study: Study, grids: GridReader, version: string, warnings: readonly string[]): string {
  const report = currentReport(study);
  const { name, synthetic } = study.settings.meta();
  return renderDocument({
    title: report.title,
    author: report.author,
    meta: `Study ${name}${synthetic ? ' (synthetic sample)' : ''} · Engram ${version} · ${new Date().toISOString().slice(0, 10)}`,
    body: report.sections.map((section) => renderSection({ study, grids, report, warnings }, section)),
  });
}

/** Implements `report`. */
export function createReportService(
  { session, files, emit }: ServiceContext,
  shelf: ModelShelf,
  grids: GridReader,
  version: string,
): ServiceHandlers<typeof contract.report> {
  const study = (): Study => session.require().study;
  return {
    get: () => currentReport(study()),
    save: (report) => {
      const saved = study().report.save(withWarnings(report));
      emit('changed', { what: 'report' });
      emit('changed', { what: 'history' });
      return saved;
    },
    preview: async () => {
      const warnings = await warningsOf(study(), shelf);
      return { html: reportHtml(study(), grids, version, warnings), warnings };
    },
    export: async () => {
      const html = reportHtml(study(), grids, version, await warningsOf(study(), shelf));
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(html) },
        name: `${currentReport(study()).title}.html`,
        mime: 'text/html',
      });
    },
    figure: ({ figure, options }) => {
      const { bytes, mime } = renderFigure(figureFor(study(), grids, figure), options);
      return files.offerDownload({
        content: { bytes },
        name: `${figureName(study(), figure)}.${options.format}`,
        mime,
      });
    },
    methods: ({ id }) => ({ text: sweepMethods(study(), study().sweeps.get(id)) }),
  };
}
