import type { EChartsOption } from 'echarts';
import { attentionPattern } from './attention-pattern.ts';
import { changeHeatmap } from './change-heatmap.ts';
import { comparisonPanels } from './difference-heatmap.ts';
import { effectHeatmap } from './effect-heatmap.ts';
import type { Figure, FigureData, FigureKind } from './figure.ts';
import { flowBoxes, flowDiagram } from './flow-diagram.ts';
import { layerLines } from './layer-lines.ts';
import { lensLines } from './lens-lines.ts';
import { localisationIntervals } from './localisation-intervals.ts';
import { multiples, panelHeight, panelsAcross } from './multiples.ts';
import { pairDots } from './pair-dots.ts';
import { scatterCompare } from './scatter-compare.ts';
import type { Size } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { trainingCurves } from './training-curves.ts';

interface FigureEntry<K extends FigureKind> {
  readonly option: (data: FigureData[K], theme: FigureTheme, size: Size) => EChartsOption;
  /** Height in pixels that suits a width, for exports. */
  readonly height: (data: FigureData[K], width: number, theme: FigureTheme) => number;
}

const clamp = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value));

/** One row per kind of figure. */
export const FIGURES: { readonly [K in FigureKind]: FigureEntry<K> } = {
  effects: {
    // One value a layer is a line, not a column of cells.
    option: ({ grid, title, domain = 1 }, theme, size) =>
      grid.axes === 'layer'
        ? layerLines([{ label: title ?? '', grid }], theme, size)
        : effectHeatmap(grid, theme, size, {
            domain,
            legend: true,
            ...(title === undefined ? {} : { title }),
          }),
    height: ({ grid }, width, theme) =>
      grid.axes === 'layer'
        ? width * 0.5
        : clamp(width * 0.3, grid.layers * (theme.sizes.value + 9) + 110, width * 0.85),
  },
  changes: {
    option: ({ grid }, theme, size) => changeHeatmap(grid, theme, size),
    height: ({ grid }, width, theme) =>
      clamp(width * 0.3, grid.layers * (theme.sizes.value + 9) + 110, width * 0.85),
  },
  comparison: {
    option: (data, theme, size) => comparisonPanels(data, data.labels, theme, size),
    height: ({ a, b }, width, theme) =>
      clamp(width * 0.26, Math.max(a.layers, b.layers) * (theme.sizes.axis + 5) + 100, width * 0.6),
  },
  multiples: {
    option: ({ panels }, theme, size) => multiples(panels, theme, size),
    height: ({ panels }, width, theme) => {
      const rows = Math.ceil(panels.length / panelsAcross(panels.length, width));
      return rows * (panelHeight(panels, theme) + 12) + theme.sizes.axis + 22;
    },
  },
  layers: {
    option: ({ series }, theme, size) => layerLines(series, theme, size),
    height: (_, width) => width * 0.5,
  },
  scatter: {
    option: ({ points, labels }, theme, size) => scatterCompare(points, labels, theme, size),
    height: (_, width) => Math.min(width, 420),
  },
  training: {
    option: ({ steps, epochs }, theme, size) => trainingCurves(steps, epochs, theme, size),
    height: (_, width) => width * 0.48,
  },
  pairs: {
    option: ({ detail }, theme, size) => pairDots(detail, theme, size),
    height: (_, width) => Math.max(90, width * 0.28),
  },
  attention: {
    option: ({ view, query }, theme, size) => attentionPattern(view, theme, size, query),
    height: (_, width) => width,
  },
  lens: {
    option: ({ view }, theme, size) => lensLines(view, theme, size),
    height: (_, width) => Math.max(110, width * 0.45),
  },
  flow: {
    option: ({ flow }, theme, size) => flowDiagram(flow, theme, size),
    height: ({ flow }, _, theme) => {
      const { main, aside } = flowBoxes(flow);
      const lines = main.map((box, i) => Math.max(box.lines.length, aside[i]?.lines.length ?? 0) + 1);
      return (
        lines.reduce((sum, n) => sum + n * theme.sizes.axis * 1.45 + 14, 0) + 24 * (main.length - 1) + 12
      );
    },
  },
  localisation: {
    option: ({ rows }, theme, size) => localisationIntervals(rows, theme, size),
    height: ({ rows }) => rows.length * 26 + 28,
  },
};

/** The row of a figure's kind; `never` stands for the data that exactly this row takes, which the figure is. */
function entryOf(figure: Figure): { entry: FigureEntry<FigureKind>; data: never } {
  return { entry: FIGURES[figure.kind] as unknown as FigureEntry<FigureKind>, data: figure as never };
}

/** Draws any figure. */
export function figureOption(figure: Figure, theme: FigureTheme, size: Size): EChartsOption {
  const { entry, data } = entryOf(figure);
  return entry.option(data, theme, size);
}

/** Height that suits `width` pixels. */
export function figureHeight(figure: Figure, width: number, theme: FigureTheme): number {
  const { entry, data } = entryOf(figure);
  return Math.round(entry.height(data, width, theme));
}
