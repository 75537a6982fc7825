import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { Report, ReportSection } from '../../../shared/domain/index.ts';
import { toEngramError } from '../../../shared/errors/index.ts';
import { renderFigure } from '../../exporters/figure.ts';
import { renderDocument } from '../../exporters/report/document.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import type { ModelShelf } from '../models/shelf.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { resultView, viewCsv } from '../views/registry.ts';
import type { ResultView, ViewSource } from '../views/view.ts';
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

/** Views that sections of a report show. One that cannot be made any more says why instead. */
async function viewsOf(source: ViewSource, report: Report): Promise<Map<ReportSection, ResultView>> {
  const views = new Map<ReportSection, ResultView>();
  for (const section of report.sections) {
    if (section.view === undefined) continue;
    views.set(
      section,
      await resultView(source, section.view).catch((error: unknown): ResultView => ({
        title: section.title,
        notes: [toEngramError(error).message],
        figures: [],
        tables: [],
      })),
    );
  }
  return views;
}

/** The whole report as one HTML file that needs nothing else. */
async function reportHtml(source: ViewSource, version: string, warnings: readonly string[]): Promise<string> {
  const { study, grids } = source;
  const report = currentReport(study);
  const views = await viewsOf(source, report);
  const { name, synthetic } = study.settings.meta();
  return renderDocument({
    title: report.title,
    author: report.author,
    meta: `Study ${name}${synthetic ? ' (synthetic sample)' : ''} · Engram ${version} · ${new Date().toISOString().slice(0, 10)}`,
    body: report.sections.map((section) => renderSection({ study, grids, report, views, warnings }, section)),
  });
}

/** Implements `report`. */
export function createReportService(
  { session, files, interactive, emit }: ServiceContext,
  shelf: ModelShelf,
  grids: GridReader,
  version: string,
): ServiceHandlers<typeof contract.report> {
  const study = (): Study => session.require().study;
  const source = (): ViewSource => ({ study: study(), grids, shelf, compute: interactive });
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
      return { html: await reportHtml(source(), version, warnings), warnings };
    },
    export: async () => {
      const html = await reportHtml(source(), version, await warningsOf(study(), shelf));
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(html) },
        name: `${currentReport(study()).title}.html`,
        mime: 'text/html',
      });
    },
    view: async ({ view }) => {
      const { title, notes, tables } = await resultView(source(), view);
      return { title, notes: [...notes], tables: [...tables] };
    },
    viewTable: async ({ view }) => {
      const made = await resultView(source(), view);
      return files.offerDownload({
        content: { bytes: new TextEncoder().encode(viewCsv(made)) },
        name: `${made.title}.csv`,
        mime: 'text/csv',
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
