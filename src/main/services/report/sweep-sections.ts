import type {
  SweepHookGrid,
  MetricName,
  ReportSection,
  Sweep,
  SweepGrid,
} from '../../../shared/domain/index.ts';
import { hookInfo, sameGrid } from '../../../shared/domain/index.ts';
import { formatCount, formatInterval, formatNumber } from '../../../shared/figures/index.ts';
import { renderTable, type Cell } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import { comparisonView } from '../compare/service.ts';
import { describeSpec, specNames } from '../compare/settings.ts';
import type { GridReader } from '../sweeps/grids.ts';
import {
  changeCaption,
  figureBlock,
  gridCaption,
  reportNumber,
  shareDifference,
  strongestEffects,
  strongestSites,
} from './blocks.ts';
import { figureFor } from './figures.ts';

/** A sweep's settings, and each of its grids as heatmap, numbers and strongest sites. */
export function sweepBlocks(study: Study, grids: GridReader, sweep: Sweep): Markup[] {
  const metric = sweep.spec.metrics[0];
  if (metric === undefined) return [];
  const entries = gridEntries(grids, study, sweep, sweep.spec.grids, metric);
  return [
    renderTable(
      ['Setting', 'Value'],
      describeSpec(sweep, specNames(study, sweep)).map(({ name, value }) => [name, value]),
    ),
    ...withoutRecovery(sweep.label, entries),
    ...entries
      .filter(({ grid }) => grid.noRatio !== undefined)
      .flatMap(({ key, grid }) => [
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        figureBlock(
          figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric }),
          changeCaption(sweep, key, grid),
        ),
        strongestEffects(grid),
      ]),
    ...entries
      .filter(({ grid }) => hasRecovery(grid))
      .flatMap(({ key, grid }) => [
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        figureBlock(
          figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric }),
          gridCaption(sweep, key, grid),
        ),
        strongestSites(grid),
      ]),
  ];
}

interface GridEntry {
  readonly key: SweepHookGrid;
  readonly grid: SweepGrid;
}

function gridEntries(
  grids: GridReader,
  study: Study,
  sweep: Sweep,
  keys: readonly SweepHookGrid[],
  metric: MetricName,
): GridEntry[] {
  return keys.map((key) => ({ key, grid: grids.grid(study, sweep.id, { ...key, metric }) }));
}

function hasRecovery(grid: SweepGrid): boolean {
  return grid.recovery.some((value) => value !== null);
}

/** Why hooks of a sweep show nothing, in one sentence for all of them. */
function withoutRecovery(label: string, entries: readonly GridEntry[]): Markup[] {
  const silent = entries.filter(({ grid }) => !hasRecovery(grid));
  const [first] = silent;
  if (first === undefined) return [];
  const hooks = silent.map(({ key }) => hookInfo(key.hook).label).join(', ');
  const reason =
    first.grid.layers === 0 ? 'Nothing was computed yet.' : (first.grid.noRatio ?? 'No site has a value.');
  return [html`<p>${label}: no recovery is given for ${hooks}. ${reason}</p>`];
}

/** Two sweeps: what differs in their settings, and each grid that both have. */
export function comparisonBlocks(study: Study, grids: GridReader, ids: ReportSection['sweepIds']): Markup[] {
  const [first, second] = ids;
  if (first === undefined || second === undefined) return [];
  const [a, b] = [study.sweeps.get(first), study.sweeps.get(second)];
  const shared = a.spec.grids.filter((g) => b.spec.grids.some((h) => sameGrid(g, h)));
  const metric = a.spec.metrics.find((name) => b.spec.metrics.includes(name));
  if (metric === undefined || shared.length === 0) {
    return [html`<p>${a.label} and ${b.label} share no hook and metric, so there is nothing to compare.</p>`];
  }
  const sides = [
    gridEntries(grids, study, a, shared, metric),
    gridEntries(grids, study, b, shared, metric),
  ] as const;
  const rows = (sweep: Sweep) => describeSpec(sweep, specNames(study, sweep));
  const other = rows(b);
  const settings = rows(a).map(({ name, value }, i): Cell[] => [name, value, other[i]?.value ?? '']);
  const different = settings.filter((row) => row[1] !== row[2]);
  return [
    renderTable(
      ['Setting', a.label, b.label],
      different,
      `Settings that differ; ${settings.length - different.length} are equal`,
    ),
    ...withoutRecovery(a.label, sides[0]),
    ...withoutRecovery(b.label, sides[1]),
    ...shared
      .filter((_, i) =>
        sides.every((side) => {
          const entry = side[i];
          return entry !== undefined && hasRecovery(entry.grid);
        }),
      )
      .flatMap((key) => {
        const view = comparisonView(study, grids, a.id, b.id, { ...key, metric });
        const figure = figureFor(study, grids, { kind: 'comparison', a: a.id, b: b.id, ...key, metric });
        const agreement = `Over ${formatCount(view.n)} sites measured in both: Spearman ${formatNumber(view.spearman)}, Pearson ${formatNumber(view.pearson)}.`;
        return [
          html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
          figureBlock(
            figure,
            `${a.label}, ${b.label} and their difference (${b.label} − ${a.label}). ${agreement}`,
          ),
          ...view.notes.map((note) => html`<p>${note}</p>`),
          ...(view.detected.length === 0
            ? []
            : [
                renderTable(
                  ['Detected site', a.label, b.label, 'In'],
                  view.detected.map((d) => [
                    d.site,
                    d.a,
                    d.b,
                    d.where === 'both' ? 'both' : d.where === 'a' ? a.label : b.label,
                  ]),
                  null,
                  reportNumber,
                ),
              ]),
          ...(hookInfo(key.hook).residual
            ? []
            : [
                renderTable(
                  [
                    'Sweep',
                    'Clusters',
                    'Share of the strongest 5',
                    '95 % interval',
                    'Gini',
                    'Participation ratio',
                  ],
                  view.localisation.map((l) => [
                    l.label,
                    l.clusters,
                    l.topShare.value,
                    formatInterval(l.topShare.low, l.topShare.high),
                    l.gini,
                    l.participation,
                  ]),
                  'Localisation: how much of the positive effect the strongest sites hold',
                  reportNumber,
                ),
                shareDifference(view, a, b),
              ]),
        ];
      }),
  ];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
