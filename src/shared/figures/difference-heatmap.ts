import type { EChartsOption } from 'echarts';
import type { EffectGrid } from '../domain/index.ts';
import { type EffectHeatmapOptions, heatmapPanel, legendShapes } from './effect-heatmap.ts';
import { sceneOption, type Size } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** What two compared grids and their difference need to be drawn. */
export interface ComparedGrids {
  readonly a: EffectGrid;
  readonly b: EffectGrid;
  /** b − a per site of grid a; null where either has no value. */
  readonly difference: readonly (number | null)[];
}

/**
 * The difference as a grid of its own, of the larger size of both: no detection, hatched only where both are
 * fixed by construction.
 */
export function differenceGrid({ a, b, difference }: ComparedGrids): EffectGrid {
  const nothing = difference.map(() => null);
  const columns = Math.max(a.columns, b.columns);
  const stateAt = (grid: EffectGrid, layer: number, column: number) =>
    layer < grid.layers && column < grid.columns ? grid.state[layer * grid.columns + column] : undefined;
  return {
    ...(a.columns < b.columns ? b : a),
    layers: Math.max(a.layers, b.layers),
    columns,
    recovery: [...difference],
    raw: nothing,
    low: nothing,
    high: nothing,
    detected: difference.map(() => false),
    state: difference.map((value, i) => {
      const [layer, column] = [Math.floor(i / columns), i % columns];
      const state = stateAt(a, layer, column);
      if (state !== undefined && state !== 'open' && state === stateAt(b, layer, column)) return state;
      return value === null ? 'missing' : 'open';
    }),
    pairsDone: Math.min(a.pairsDone, b.pairsDone),
    pairsTotal: Math.min(a.pairsTotal, b.pairsTotal),
  };
}

/** B minus A on the same scale as both. */
export function differenceHeatmap(
  compared: ComparedGrids,
  theme: FigureTheme,
  size: Size,
  options: EffectHeatmapOptions = {},
): EChartsOption {
  const area = { x: 4, y: 4, width: size.width - 8, height: size.height - 8 };
  return sceneOption(
    heatmapPanel(differenceGrid(compared), theme, area, options),
    theme,
    options.tips ?? true,
  );
}

/** Smallest of the offered domains that holds both grids, so that compared panels share one scale. */
export function sharedDomain(grids: readonly EffectGrid[]): number {
  const largest = Math.max(
    0,
    ...grids.flatMap((g) => g.recovery.map((v, i) => (g.state[i] === 'open' ? Math.abs(v ?? 0) : 0))),
  );
  return DOMAINS.find((domain) => largest <= domain) ?? 1;
}
export const DOMAINS = [0.2, 0.5, 1] as const;

/** A, B and B − A side by side on one named scale, for export. */
export function comparisonPanels(
  compared: ComparedGrids,
  labels: { readonly a: string; readonly b: string },
  theme: FigureTheme,
  size: Size,
): EChartsOption {
  const domain = sharedDomain([compared.a, compared.b]);
  const difference = differenceGrid(compared);
  const gap = 12;
  const width = (size.width - 8 - 2 * gap) / 3;
  const bottom = theme.sizes.axis + 14;
  const panels = [
    { grid: compared.a, title: `A  ${labels.a}` },
    { grid: compared.b, title: `B  ${labels.b}` },
    { grid: difference, title: words.difference },
  ];
  const shapes = panels.flatMap(({ grid, title }, i) =>
    heatmapPanel(
      grid,
      theme,
      { x: 4 + i * (width + gap), y: 4, width, height: size.height - 8 - bottom },
      { domain, title, compact: true },
    ),
  );
  const legend = { x: 4, y: size.height - bottom, width: size.width - 8, height: bottom };
  return sceneOption([...shapes, ...legendShapes(theme, legend, domain, compared.a, compared.b)], theme);
}
