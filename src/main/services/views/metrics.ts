import { hookInfo } from '../../../shared/domain/index.ts';
import { formatInterval, formatNumber } from '../../../shared/figures/index.ts';
import { compareMetrics } from '../compare/metrics.ts';
import type { ViewMaker } from './view.ts';

/** Two metrics of one sweep against each other, site by site. */
export const metricsView: ViewMaker<'metrics'> = ({ study, grids }, { kind: _kind, id, x, y, ...key }) => {
  const view = compareMetrics(study, grids, id, key, x, y);
  const interval = view.low === null ? 'no interval' : `95 % interval ${formatInterval(view.low, view.high)}`;
  return {
    title: `${view.label}: ${view.x.label} against ${view.y.label}, ${hookInfo(key.hook).label}`,
    notes: [
      ...[view.x, view.y].flatMap(({ label, noRatio }) => (noRatio === null ? [] : [`${label}: ${noRatio}`])),
      `Spearman ${formatNumber(view.spearman)} over ${view.points.length} sites, ${interval} (${view.clusters} independent pairs, the same draws for both metrics).`,
    ],
    figures: [
      {
        request: { kind: 'metrics', id, ...key, x, y },
        caption: `${view.label}. One dot a site: recovery of the ${view.x.label} across, of the ${view.y.label} up.`,
      },
    ],
    tables: [
      {
        name: 'agreement',
        caption: 'Rank correlation of both metrics over the sites',
        columns: ['across', 'up', 'sites', 'independent pairs', 'Spearman', 'low', 'high'],
        rows: [
          [view.x.label, view.y.label, view.points.length, view.clusters, view.spearman, view.low, view.high],
        ],
      },
      {
        name: 'sites',
        caption: 'Recovery by both metrics, site by site',
        columns: ['site', 'layer', 'column', view.x.label, view.y.label, 'detected by'],
        rows: view.points.map((p) => [
          p.site,
          p.layer,
          p.column,
          p.a,
          p.b,
          { both: 'both', a: view.x.label, b: view.y.label, none: '' }[p.where],
        ]),
      },
    ],
  };
};
