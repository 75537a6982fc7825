import type { EffectGrid } from '../domain/index.ts';
import { formatCompact, formatInterval, formatNumber } from './format.ts';
import type { HeatmapLayout, HeatmapOptions } from './heatmap-layout.ts';
import { siteName } from './heatmap-names.ts';
import { hatching, label, type Rect, type Shape, type SitePoint, tipText } from './scene.ts';
import { divergingStep, type FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** `no-ratio`: measured, but there is nothing to divide the change by. */
export type CellState = 'value' | 'not-run' | 'zero' | 'trivial' | 'no-ratio' | 'missing';

/** What a cell of a grid shows. A value that is null while pairs are still to come was not run yet. */
export function cellState(grid: EffectGrid, index: number): CellState {
  const state = grid.state[index] ?? 'missing';
  if (state !== 'open') return state;
  if (typeof grid.recovery[index] === 'number') return 'value';
  if (grid.noRatio !== undefined && typeof grid.raw[index] === 'number') return 'no-ratio';
  return grid.pairsDone < grid.pairsTotal ? 'not-run' : 'missing';
}

const PRINT_FROM = 0.05;
const PRINT_FROM_COMPACT = 0.1;
const CELL_FOR_TEXT = { width: 26, height: 16 };
const LIGHT_HATCH = 0.42;

/** Cells, hatching, values and marks of a grid. */
export function cellShapes(
  grid: EffectGrid,
  layout: HeatmapLayout,
  theme: FigureTheme,
  options: HeatmapOptions,
): Shape[] {
  const shapes: Shape[] = [];
  const light: Rect[] = [];
  const dark: Rect[] = [];
  for (const row of layout.rows) {
    for (const column of layout.columns) {
      const index = row.index * grid.columns + column.index;
      const rect = { x: column.start, y: row.start, width: column.size, height: row.size };
      const state = cellState(grid, index);
      const value = grid.recovery[index] ?? (state === 'zero' ? 0 : null);
      const site = { layer: row.index, column: column.index };
      shapes.push(base(grid, rect, state, value, site, theme, options));
      if (state === 'zero') light.push(rect);
      if (state === 'trivial') dark.push(rect);
      shapes.push(...marks(rect, state, theme));
      if (value !== null && (state === 'value' || state === 'trivial')) {
        shapes.push(...valueText(rect, value, theme, options), ...overflow(rect, value, theme, options));
      }
      if (grid.detected[index] === true) shapes.push(detectedDot(rect, value ?? 0, grid, theme, options));
    }
  }
  return [
    ...shapes,
    ...hatching(light, theme.hatch, 6, LIGHT_HATCH),
    ...hatching(dark, divergingStep(theme, 0, 1).ink, 5, 0.55),
  ];
}

function base(
  grid: EffectGrid,
  rect: Rect,
  state: CellState,
  value: number | null,
  site: SitePoint,
  theme: FigureTheme,
  options: HeatmapOptions,
): Shape {
  const empty = state === 'not-run' || state === 'missing' || state === 'no-ratio';
  const fill = empty ? theme.canvas : divergingStep(theme, value ?? 0, options.domain).fill;
  return {
    type: 'rect',
    shape: { ...rect, r: 1 },
    style: { fill, stroke: empty ? theme.hairline : theme.line, lineWidth: 0.5 },
    // The fill again: a hover style without one is lightened.
    hover: { fill, stroke: theme.title, lineWidth: 1.5 },
    z2: 0,
    site,
    tip: cellTip(grid, site, options.names?.get(site.column)),
  };
}

/** The same lines as the tip on screen: value, interval, raw metric, pairs. */
function cellTip(grid: EffectGrid, site: SitePoint, name?: string): string {
  const index = site.layer * grid.columns + site.column;
  const state = cellState(grid, index);
  return tipText([
    siteName(grid, site, name),
    ...(state === 'value' || state === 'trivial'
      ? [
          `${words.recovery} ${formatNumber(grid.recovery[index])}`,
          `${words.interval} ${formatInterval(grid.low[index] ?? null, grid.high[index] ?? null)}`,
          `${words.rawMetric} ${formatNumber(grid.raw[index])}`,
        ]
      : []),
    ...(state === 'no-ratio'
      ? [
          `${words.effect} ${formatNumber(grid.effect?.[index], 3)}`,
          `${words.rawMetric} ${formatNumber(grid.raw[index], 3)}`,
        ]
      : []),
    state === 'value'
      ? `${words.pairs} ${grid.pairsDone}`
      : state === 'not-run'
        ? words.notRun
        : words.states[state],
  ]);
}

function marks(rect: Rect, state: CellState, theme: FigureTheme): Shape[] {
  const cx = rect.x + rect.width / 2;
  const cy = rect.y + rect.height / 2;
  if (state === 'not-run') {
    return [{ type: 'circle', shape: { cx, cy, r: 1.2 }, style: { fill: theme.edge }, z2: 2 }];
  }
  if ((state === 'missing' || state === 'no-ratio') && Math.min(rect.width, rect.height) >= 8) {
    return [label(theme, state === 'missing' ? '×' : '–', cx, cy, { align: 'center', fill: theme.faint })];
  }
  return [];
}

function valueText(rect: Rect, value: number, theme: FigureTheme, options: HeatmapOptions): Shape[] {
  const from = options.compact === true ? PRINT_FROM_COMPACT : PRINT_FROM;
  if (Math.abs(value) < from) return [];
  if (rect.width < CELL_FOR_TEXT.width || rect.height < CELL_FOR_TEXT.height) return [];
  const text = options.compact === true ? formatCompact(value) : formatNumber(value);
  const { ink } = divergingStep(theme, value, options.domain);
  const size = options.compact === true ? theme.sizes.axis : theme.sizes.value;
  return [
    label(theme, text, rect.x + rect.width / 2, rect.y + rect.height / 2, {
      align: 'center',
      fill: ink,
      size,
      weight: 500,
    }),
  ];
}

/** Beyond the domain the colour ends; a tick at the cell's edge says so. */
function overflow(rect: Rect, value: number, theme: FigureTheme, { domain }: HeatmapOptions): Shape[] {
  if (Math.abs(value) <= domain * 1.005 || rect.height < 6) return [];
  const x = rect.x + rect.width / 2;
  const y = value > 0 ? rect.y + 1 : rect.y + rect.height - 4;
  const { ink } = divergingStep(theme, value, domain);
  return [
    {
      type: 'line',
      shape: { x1: x, y1: y, x2: x, y2: y + 3 },
      style: { stroke: ink, lineWidth: 1.5 },
      z2: 4,
    },
  ];
}

/** Filled where the grid is complete, a ring while pairs are still to come. */
function detectedDot(
  rect: Rect,
  value: number,
  grid: EffectGrid,
  theme: FigureTheme,
  options: HeatmapOptions,
): Shape {
  const { ink } = divergingStep(theme, value, options.domain);
  const small = rect.width < CELL_FOR_TEXT.width || rect.height < CELL_FOR_TEXT.height;
  const open = grid.pairsDone < grid.pairsTotal;
  return {
    type: 'circle',
    shape: {
      cx: small ? rect.x + rect.width / 2 : rect.x + rect.width - 5.5,
      cy: small ? rect.y + rect.height / 2 : rect.y + 5.5,
      r: 2.2,
    },
    style: open ? { fill: 'none', stroke: ink, lineWidth: 1.3 } : { fill: ink },
    z2: 6,
  };
}

/** Where a site's cell stands; null for a hidden one. */
export function siteRect(layout: HeatmapLayout, { layer, column }: SitePoint): Rect | null {
  const x = layout.columns.find((c) => c.index === column);
  const y = layout.rows.find((r) => r.index === layer);
  return x === undefined || y === undefined
    ? null
    : { x: x.start, y: y.start, width: x.size, height: y.size };
}

/** Double accent ring of a pinned site. */
export function ringShapes(layout: HeatmapLayout, theme: FigureTheme, pinned: readonly SitePoint[]): Shape[] {
  const ring = (rect: Rect, grow: number, stroke: string, lineWidth: number): Shape => ({
    type: 'rect',
    shape: {
      x: rect.x - grow,
      y: rect.y - grow,
      width: rect.width + 2 * grow,
      height: rect.height + 2 * grow,
      r: 2,
    },
    style: { fill: 'none', stroke, lineWidth },
    z2: 20,
  });
  return pinned.flatMap((site) => {
    const rect = siteRect(layout, site);
    return rect === null ? [] : [ring(rect, 1, theme.canvas, 2), ring(rect, 3, theme.accent, 2)];
  });
}
