import { hookInfo, METRICS, type ResultTable } from '../../../shared/domain/index.ts';
import { PUBLISHED_TASKS, ZHANG_NANDA, ZHANG_NANDA_SOURCE } from '../../../shared/published/index.ts';
import { detectionTable } from '../compare/several.ts';
import type { ViewMaker } from './view.ts';

/** The matrix of corruptions and metrics: what each detects, beside the heads that were published. */
export const detectionView: ViewMaker<'detection'> = ({ study, grids }, { kind: _kind, refs, ...key }) => {
  const { rows } = detectionTable(study, grids, refs, key);
  const heads = key.axes === 'layer_head';
  return {
    title: `Detected by corruption and metric, ${hookInfo(key.hook).label}`,
    notes: [
      'A component is detected when its effect lies at least 2 standard deviations (population) from the mean of its grid (Zhang & Nanda 2024); this screens and is no test.',
      ...(heads
        ? [
            `Published: ${ZHANG_NANDA_SOURCE}. Comparable only with the same model, task and corrupted tokens.`,
          ]
        : []),
    ],
    figures: [],
    tables: [
      {
        name: 'detected',
        caption: 'Detected components, one row for each result and metric',
        columns: [
          'result',
          'model',
          'method',
          'corruption',
          'direction',
          'metric',
          'pairs',
          'detected, helps',
          'detected, hurts',
          'Spearman with the first row',
        ],
        rows: rows.map((row) => [
          row.label,
          row.model,
          row.method,
          row.corruption,
          row.direction,
          row.metric,
          row.pairs,
          row.positive.join(' '),
          row.negative.join(' '),
          row.spearman,
        ]),
      },
      ...(heads ? [publishedTable()] : []),
    ],
  };
};

function publishedTable(): ResultTable {
  const metric = (name: string): string => METRICS.find((m) => m.name === name)?.label ?? name;
  return {
    name: 'published',
    caption: 'Published heads',
    columns: ['task', 'corruption', 'metric', 'detected, helps', 'detected, hurts'],
    rows: PUBLISHED_TASKS.flatMap((task) =>
      ZHANG_NANDA[task].map((row) => [
        task,
        row.corruption,
        metric(row.metric),
        row.positive.join(' '),
        row.negative.join(' '),
      ]),
    ),
  };
}
