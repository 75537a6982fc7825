import type { EffectGrid } from '../domain/index.ts';
import { columnName } from './heatmap-names.ts';
import { type Rect, textWidth } from './scene.ts';
import type { FigureTheme } from './theme.ts';

interface Track {
  /** Index of the layer or column in the grid. */
  readonly index: number;
  readonly start: number;
  readonly size: number;
}

export interface HeatmapLayout {
  readonly plot: Rect;
  /** From left to right; hidden ones are absent. */
  readonly columns: readonly Track[];
  /** Layer 0 at the bottom. */
  readonly rows: readonly Track[];
  readonly rotated: boolean;
  /** Every how many-th column label is written. */
  readonly every: number;
  /** Columns that are zero by construction in every layer. */
  readonly fixed: ReadonlySet<number>;
}

export interface HeatmapOptions {
  /** Symmetric domain of the colours; named on the legend where it is not 1. */
  readonly domain: number;
  /** Columns fixed by construction are left out. */
  readonly hideFixed?: boolean;
  /** Names of positions (spans), written under their labels. */
  readonly names?: ReadonlyMap<number, string>;
  /** Small multiple: values from 0.10, no zero before the point, no second line of labels. */
  readonly compact?: boolean;
  /** Names the layer axis. */
  readonly axisTitle?: boolean;
}

/** Relative width of a column fixed by construction. */
const NARROW = 0.62;
const GAP = 1;

export function fixedColumns(grid: EffectGrid): Set<number> {
  const fixed = new Set<number>();
  for (let column = 0; column < grid.columns; column++) {
    let all = grid.layers > 0;
    for (let layer = 0; all && layer < grid.layers; layer++) {
      all = grid.state[layer * grid.columns + column] === 'zero';
    }
    if (all) fixed.add(column);
  }
  return fixed;
}

/** Whether columns are token positions, which are labelled twice (token, then index or span name). */
export function isPositional(grid: EffectGrid): boolean {
  return grid.axes === 'layer_position';
}

/** Places rows, columns and labels of a grid inside `area`. */
export function layoutHeatmap(
  grid: EffectGrid,
  area: Rect,
  theme: FigureTheme,
  options: HeatmapOptions,
): HeatmapLayout {
  const fixed = fixedColumns(grid);
  const shown = Array.from({ length: grid.columns }, (_, c) => c).filter(
    (c) => !(options.hideFixed === true && fixed.has(c)),
  );
  const gutter =
    (options.axisTitle === true ? theme.sizes.axis + 6 : 0) + textWidth('00', theme.sizes.axis) + 8;
  const width = Math.max(10, area.width - gutter);
  const narrow = fixed.size < grid.columns ? NARROW : 1;
  const shares = shown.map((c) => (fixed.has(c) ? narrow : 1));
  const unit = (width - GAP * Math.max(0, shown.length - 1)) / shares.reduce((a, b) => a + b, 0);
  const size = theme.sizes.axis;
  const texts = shown.map((c) => textWidth(columnName(grid, c), size));
  const crowded = texts.filter((w, i) => w > unit * (shares[i] ?? 1) + 1).length;
  const rotated = isPositional(grid) && crowded > shown.length * 0.15;
  const widest = Math.min(72, Math.max(0, ...texts));
  const every = rotated
    ? Math.max(1, Math.ceil((size * 1.15) / unit))
    : Math.max(1, Math.ceil((Math.max(...texts, 1) + 4) / unit));
  const second = isPositional(grid) && options.compact !== true;
  const below = (rotated ? widest * 0.75 + size : size + 6) + (second && !rotated ? size + 4 : 0);
  const bracket = second && fixed.size > 0 && options.hideFixed !== true ? size + 10 : 0;
  const named = options.axisTitle === true && grid.axes === 'layer_head' ? size + 5 : 0;
  const plot = {
    x: area.x + gutter,
    y: area.y,
    width,
    height: Math.max(10, area.height - below - bracket - named),
  };
  const height = (plot.height - GAP * Math.max(0, grid.layers - 1)) / Math.max(1, grid.layers);
  let at = plot.x;
  const columns = shown.map((index, i) => {
    const track = { index, start: at, size: unit * (shares[i] ?? 1) };
    at += track.size + GAP;
    return track;
  });
  const rows = Array.from({ length: grid.layers }, (_, layer) => ({
    index: layer,
    start: plot.y + (grid.layers - 1 - layer) * (height + GAP),
    size: height,
  }));
  return { plot, columns, rows, rotated, every: isPositional(grid) && !rotated ? 1 : every, fixed };
}
