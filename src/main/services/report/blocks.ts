import type { ComparisonView } from '../../../shared/contracts/index.ts';
import type { SweepHookGrid, Sweep, EffectGrid } from '../../../shared/domain/index.ts';
import { hookInfo, METRICS } from '../../../shared/domain/index.ts';
import {
  formatCount,
  formatInterval,
  formatNumber,
  siteName,
  toTable,
  type Figure,
} from '../../../shared/figures/index.ts';
import { draw } from '../../exporters/figure.ts';
import { renderFigureBlock, renderTable, type Cell } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';

/** Rows of a figure's numbers that a report prints; the effects table export holds all of them. */
const MOST_ROWS = 600;
const TOP_ROWS = 10;

/** A number as a report prints it: whole ones with thousands, others with three decimals. */
export function reportNumber(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : formatNumber(value, 3);
}

/** A figure at full column width with its caption and its numbers. */
export function figureBlock(figure: Figure, caption: string): Markup {
  const { svg } = draw(figure, { widthMm: 174, theme: 'light' });
  const { columns, rows } = toTable(figure);
  const shown = rows.slice(0, MOST_ROWS);
  const note =
    rows.length > shown.length ? `The first ${MOST_ROWS} of ${formatCount(rows.length)} rows.` : null;
  return renderFigureBlock(svg, caption, renderTable(columns, shown, note, reportNumber));
}

/** The strongest measured sites of a grid with their intervals. */
export function strongestSites(grid: EffectGrid): Markup {
  const rows = grid.recovery
    .map((value, site) => ({ value, site }))
    .filter(
      (row): row is { value: number; site: number } => row.value !== null && grid.state[row.site] === 'open',
    )
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, TOP_ROWS)
    .map(({ value, site }): Cell[] => [
      siteName(grid, { layer: Math.floor(site / grid.columns), column: site % grid.columns }),
      value,
      formatInterval(grid.low[site] ?? null, grid.high[site] ?? null),
      grid.raw[site] ?? null,
      grid.detected[site] ?? false,
    ]);
  return rows.length === 0
    ? html`<p>No site of this grid has a measured value.</p>`
    : renderTable(
        ['Site', 'Recovery', '95 % interval', 'Patched metric', 'Detected (2 SD)'],
        rows,
        `Strongest sites of ${hookInfo(grid.hook).label}`,
        reportNumber,
      );
}

/** Where there are no ratios: the sites that move the metric most, in its own unit. */
export function strongestEffects(grid: EffectGrid): Markup {
  const rows = (grid.effect ?? [])
    .map((value, site) => ({ value, site }))
    .filter(
      (row): row is { value: number; site: number } => row.value !== null && grid.state[row.site] === 'open',
    )
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, TOP_ROWS)
    .map(({ value, site }): Cell[] => [
      siteName(grid, { layer: Math.floor(site / grid.columns), column: site % grid.columns }),
      value,
      grid.raw[site] ?? null,
    ]);
  return renderTable(
    ['Site', 'Change of the metric', 'Patched metric'],
    rows,
    `Largest changes of the metric by ${hookInfo(grid.hook).label}, without ratios`,
    reportNumber,
  );
}

/** What a heatmap shows, over how much, with its baselines. */
export function gridCaption(sweep: Sweep, { hook, window }: SweepHookGrid, grid: EffectGrid): string {
  const metric = METRICS.find((m) => m.name === grid.metric)?.label ?? grid.metric;
  return `${sweep.label}. Recovery of the ${metric} after patching the ${hookInfo(hook).label}${window === undefined ? '' : ` in windows of ${window} layers`} (${sweep.spec.direction}), ratio of means over ${grid.pairsDone} of ${grid.pairsTotal} pairs. Mean ${metric}: clean ${formatNumber(grid.meanClean)}, corrupted ${formatNumber(grid.meanCorrupted)}. Hatched sites are fixed by construction; a dot marks sites at least 2 SD from the grid's mean.`;
}

/** What a heatmap without ratios shows. */
export function changeCaption(sweep: Sweep, { hook }: SweepHookGrid, grid: EffectGrid): string {
  const metric = METRICS.find((m) => m.name === grid.metric)?.label ?? grid.metric;
  return `${sweep.label}. Change of the ${metric} after patching the ${hookInfo(hook).label} (${sweep.spec.direction}), mean over ${grid.pairsDone} of ${grid.pairsTotal} pairs, in its own unit: ratios are undefined here. Mean ${metric}: clean ${formatNumber(grid.meanClean, 3)}, corrupted ${formatNumber(grid.meanCorrupted, 3)}.`;
}

/** What the share of the strongest sites differs by, with its uncertainty. */
export function shareDifference(
  { localisationDifference }: ComparisonView,
  a: { readonly label: string },
  b: { readonly label: string },
): Markup {
  if (localisationDifference === null) {
    return html`<p>The difference between the two shares was not tested: the grids cannot be paired.</p>`;
  }
  const { value, low, high } = localisationDifference;
  return html`<p>
    Difference of the share, ${b.label} − ${a.label}: ${formatNumber(value, 3)}, 95 % interval
    ${formatInterval(low, high, 3)} (bootstrap over clusters, the same draws for both).
  </p>`;
}
