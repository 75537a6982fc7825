import type { EChartsOption } from 'echarts';
import type { EffectGrid } from '../domain/index.ts';
import { sharedDomain } from './difference-heatmap.ts';
import { heatmapPanel, legendShapes } from './effect-heatmap.ts';
import { sceneOption, type Size } from './scene.ts';
import type { FigureTheme } from './theme.ts';

/** One small heatmap. */
export interface MultiplePanel {
  readonly title: string;
  readonly grid: EffectGrid;
}

const GAP = 12;

/** Panels across: as many as leave each wide enough to read, four at most. */
export function panelsAcross(count: number, width: number): number {
  const fit = Math.max(1, Math.floor((width + GAP) / (170 + GAP)));
  return Math.min(count, fit, count === 4 ? 2 : 4);
}

/** Height of one panel at a width of the whole. */
export function panelHeight(panels: readonly MultiplePanel[], theme: FigureTheme): number {
  const layers = Math.max(1, ...panels.map(({ grid }) => grid.layers));
  return Math.min(260, Math.max(96, layers * (theme.sizes.axis + 4) + theme.sizes.heading + 40));
}

/** One grid of any number of results as small heatmaps on one scale, in reading order. */
export function multiples(panels: readonly MultiplePanel[], theme: FigureTheme, size: Size): EChartsOption {
  const grids = panels.map(({ grid }) => grid);
  const domain = sharedDomain(grids);
  const across = panelsAcross(panels.length, size.width);
  const rows = Math.ceil(panels.length / across);
  const bottom = theme.sizes.axis + 14;
  const width = (size.width - 8 - GAP * (across - 1)) / across;
  const height = (size.height - 8 - bottom - GAP * (rows - 1)) / rows;
  const shapes = panels.flatMap(({ title, grid }, i) =>
    heatmapPanel(
      grid,
      theme,
      {
        x: 4 + (i % across) * (width + GAP),
        y: 4 + Math.floor(i / across) * (height + GAP),
        width,
        height,
      },
      { domain, title, compact: true },
    ),
  );
  const legend = { x: 4, y: size.height - bottom, width: size.width - 8, height: bottom };
  return sceneOption([...shapes, ...legendShapes(theme, legend, domain, ...grids)], theme);
}
