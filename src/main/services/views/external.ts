import { EXTERNAL_FORMATS, gridOf, hookInfo } from '../../../shared/domain/index.ts';
import { formatCount } from '../../../shared/figures/index.ts';
import { metricWords } from '../compare/settings.ts';
import type { ResultView, ViewMaker } from './view.ts';

/** Tables of external results that a report draws; the file has all of them. */
const MOST_FIGURES = 12;

/** External results by themselves: where they come from, and each of their tables. */
export const externalView: ViewMaker<'external'> = ({ study }, { id }): ResultView => {
  const result = study.externalResults.get(id);
  const format = EXTERNAL_FORMATS.find((f) => f.name === result.format)?.label ?? result.format;
  const shown = result.tables.filter(({ axes }) => axes !== 'layer_head_position').slice(0, MOST_FIGURES);
  return {
    title: `${result.label} ${result.name} (external)`,
    notes: [
      `External results, not computed in this study: ${result.source === '' ? 'the file does not say where they come from' : result.source}.`,
      ...(result.note === '' ? [] : [result.note]),
      ...result.remarks,
    ],
    figures: shown.map((table) => ({
      request: { kind: 'external', id, ...gridOf(table), metric: table.metric },
      caption: `${result.label}, external. ${metricWords(table.metric)}, ${hookInfo(table.hook).label} (${result.direction}), from the table “${table.name}” of ${result.file}.`,
    })),
    tables: [
      {
        name: 'origin',
        caption: 'Where the numbers come from',
        columns: ['what', 'value'],
        rows: [
          ['file', result.file],
          ['form', format],
          ['SHA-256', result.sha256],
          ['size', `${formatCount(result.bytes)} bytes`],
          ['imported', result.importedAt],
          ['model', result.model],
          ['direction', result.direction],
          ['method', result.method],
          ['corruption', result.corruption],
        ],
      },
      {
        name: 'tables',
        caption: 'Tables of the file',
        columns: ['table', 'hook', 'axes', 'metric', 'layers', 'columns', 'pairs'],
        rows: result.tables.map((t) => [t.name, t.hook, t.axes, t.metric, t.layers, t.columns, t.pairs]),
      },
    ],
  };
};
