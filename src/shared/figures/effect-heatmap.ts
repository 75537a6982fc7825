import type { EChartsOption } from 'echarts';
import type { EffectGrid } from '../domain/index.ts';
import { formatNumber } from './format.ts';
import { cellShapes, ringShapes, siteRect } from './heatmap-cells.ts';
import { columnName } from './heatmap-names.ts';
import { type HeatmapLayout, type HeatmapOptions, isPositional, layoutHeatmap } from './heatmap-layout.ts';
import {
  hatching,
  label,
  line,
  type Rect,
  sceneOption,
  type Shape,
  type SitePoint,
  type Size,
  textWidth,
} from './scene.ts';
import { divergingStep, type FigureTheme } from './theme.ts';
import { words } from './words.ts';

export interface EffectHeatmapOptions extends Partial<HeatmapOptions> {
  /** Drawn with a double accent ring. */
  readonly pinned?: readonly SitePoint[];
  /** Colour scale and marks under the plot (exports); on screen the page draws its own. */
  readonly legend?: boolean;
  /** Heading above the plot. */
  readonly title?: string;
  /** Tips drawn by ECharts; off where the page draws its own. */
  readonly tips?: boolean;
}

/**
 * Effects of one hook over layers (upwards, 0 at the bottom) and positions or heads (left to right), on a
 * diverging scale of 21 steps centred on zero with a symmetric domain that never follows the data. Values are
 * printed from |effect| ≥ 0.05 where a cell is at least 26 × 16. Light hatching: zero by construction; dark
 * hatching: trivial; dot: detected at 2 SD (ring while pairs are to come); small dot: not run.
 */
export function effectHeatmap(
  grid: EffectGrid,
  theme: FigureTheme,
  size: Size,
  options: EffectHeatmapOptions = {},
): EChartsOption {
  const area = plotArea(theme, size, options);
  const shapes = heatmapPanel(grid, theme, area, options);
  const domain = options.domain ?? 1;
  if (options.legend === true)
    shapes.push(...legendShapes(theme, { ...area, y: area.y + area.height + 4 }, domain, grid));
  return sceneOption(shapes, theme, options.tips ?? true);
}

function plotArea(theme: FigureTheme, size: Size, options: EffectHeatmapOptions): Rect {
  const legend = options.legend === true ? theme.sizes.axis + 14 : 0;
  return { x: 4, y: 4, width: size.width - 8, height: size.height - 8 - legend };
}

function panelLayout(
  grid: EffectGrid,
  theme: FigureTheme,
  area: Rect,
  options: EffectHeatmapOptions,
): { readonly layout: HeatmapLayout; readonly settings: HeatmapOptions } {
  const heading = options.title === undefined ? 0 : theme.sizes.heading + 8;
  const settings: HeatmapOptions = { domain: 1, axisTitle: options.compact !== true, ...options };
  const inner = { ...area, y: area.y + heading, height: area.height - heading };
  return { layout: layoutHeatmap(grid, inner, theme, settings), settings };
}

/**
 * Where `effectHeatmap` draws a site, in pixels, so that a mark can move over the picture without drawing it
 * again; null for a hidden one.
 */
export function effectHeatmapSites(
  grid: EffectGrid,
  theme: FigureTheme,
  size: Size,
  options: EffectHeatmapOptions = {},
): (site: SitePoint) => Rect | null {
  const { layout } = panelLayout(grid, theme, plotArea(theme, size, options), options);
  return (site) => siteRect(layout, site);
}

/** One heatmap inside `area`, for figures of one or several panels. */
export function heatmapPanel(
  grid: EffectGrid,
  theme: FigureTheme,
  area: Rect,
  options: EffectHeatmapOptions,
): Shape[] {
  const { layout, settings } = panelLayout(grid, theme, area, options);
  return [
    ...(options.title === undefined
      ? []
      : [
          label(theme, options.title, layout.plot.x, area.y + theme.sizes.heading / 2 + 1, {
            size: theme.sizes.heading,
            weight: 600,
            fill: theme.title,
          }),
        ]),
    ...cellShapes(grid, layout, theme, settings),
    ...layerLabels(layout, theme, area, settings),
    ...columnLabels(grid, layout, theme, settings),
    ...headTitle(grid, layout, theme, area, settings),
    ...brackets(grid, layout, theme, settings, area),
    ...ringShapes(layout, theme, options.pinned ?? []),
  ];
}

function layerLabels(
  layout: HeatmapLayout,
  theme: FigureTheme,
  area: Rect,
  options: HeatmapOptions,
): Shape[] {
  const step = Math.max(1, Math.ceil((theme.sizes.axis + 3) / ((layout.rows[0]?.size ?? 20) + 1)));
  const top = layout.rows.length - 1;
  // The top layer is always named, then every step-th below it.
  const labels = layout.rows
    .filter((row) => (top - row.index) % step === 0)
    .map((row) =>
      label(theme, String(row.index), layout.plot.x - 6, row.start + row.size / 2, { align: 'right' }),
    );
  if (options.axisTitle !== true) return labels;
  const middle = layout.plot.y + layout.plot.height / 2;
  return [
    ...labels,
    label(theme, words.layer, area.x + theme.sizes.axis / 2, middle, {
      align: 'center',
      rotation: Math.PI / 2,
    }),
  ];
}

/** What stands under each shown column: its token, or in small multiples its number where there is room. */
function columnTexts(
  grid: EffectGrid,
  layout: HeatmapLayout,
  theme: FigureTheme,
  options: HeatmapOptions,
): string[] {
  const tokens = layout.columns.map((column) => columnName(grid, column.index));
  if (options.compact !== true) return tokens;
  const half = (text: string) => textWidth(text, theme.sizes.axis) / 2 + 2;
  const apart = (i: number, j: number) =>
    Math.abs((layout.columns[i]?.start ?? 0) - (layout.columns[j]?.start ?? 0));
  return layout.columns.map(({ index }, i) => {
    const token = tokens[i] ?? '';
    if (token !== '') return token;
    const own = options.names?.get(index) ?? String(index);
    const touches = [i - 1, i + 1].some((j) => {
      const beside = tokens[j] ?? '';
      return beside !== '' && apart(i, j) < half(beside) + half(own);
    });
    return touches ? '' : own;
  });
}

function columnLabels(
  grid: EffectGrid,
  layout: HeatmapLayout,
  theme: FigureTheme,
  options: HeatmapOptions,
): Shape[] {
  const top = layout.plot.y + layout.plot.height;
  const { axis } = theme.sizes;
  const second = isPositional(grid) && options.compact !== true && !layout.rotated;
  const texts = columnTexts(grid, layout, theme, options);
  return layout.columns.flatMap((column, place) => {
    const name = options.names?.get(column.index);
    const fill = layout.fixed.has(column.index) && name === undefined ? theme.muted : theme.text;
    const weight = name === undefined ? 400 : 600;
    const x = column.start + column.size / 2;
    if (place % layout.every !== 0 && name === undefined) return [];
    const text = texts[place] ?? '';
    if (layout.rotated) {
      const o = { align: 'right', rotation: Math.PI / 4, fill, weight, maxWidth: 72 } as const;
      return [label(theme, text, x + axis / 3, top + axis * 0.9, o)];
    }
    const size = second ? axis + 1 : axis;
    const shapes = [label(theme, text, x, top + 5 + size / 2, { align: 'center', fill, weight, size })];
    if (second) {
      shapes.push(
        label(theme, name ?? String(column.index), x, top + 5 + size * 2 + 2, {
          align: 'center',
          weight: name === undefined ? 400 : 600,
          fill: name === undefined ? theme.muted : theme.title,
        }),
      );
    }
    return shapes;
  });
}

function headTitle(
  grid: EffectGrid,
  { plot }: HeatmapLayout,
  theme: FigureTheme,
  area: Rect,
  options: HeatmapOptions,
): Shape[] {
  if (options.axisTitle !== true || grid.axes !== 'layer_head') return [];
  const y = area.y + area.height - theme.sizes.axis / 2;
  return [label(theme, words.head, plot.x + plot.width / 2, y, { align: 'center' })];
}

/** Names the run of columns that are fixed by construction, and the rest. */
function brackets(
  grid: EffectGrid,
  layout: HeatmapLayout,
  theme: FigureTheme,
  options: HeatmapOptions,
  area: Rect,
): Shape[] {
  if (!isPositional(grid) || options.compact === true || options.hideFixed === true) return [];
  const last = layout.columns.findIndex((c) => !layout.fixed.has(c.index));
  if (last <= 0) return [];
  const y = area.y + area.height - theme.sizes.axis - 5;
  const draw = (from: number, to: number, ...texts: string[]): Shape[] => {
    const first = layout.columns[from];
    const end = layout.columns[to];
    if (first === undefined || end === undefined) return [];
    const x1 = first.start + 2;
    const x2 = end.start + end.size - 5;
    const text = texts.find((t) => textWidth(t, theme.sizes.axis) < x2 - x1);
    return [
      line(x1, y, x2, y, theme.edge),
      ...(text !== undefined
        ? [label(theme, text, (x1 + x2) / 2, y + 3 + theme.sizes.axis / 2, { align: 'center' })]
        : []),
    ];
  };
  return [
    ...draw(0, last - 1, words.sameTokens, words.fixed),
    ...draw(last, layout.columns.length - 1, words.differenceOnwards),
  ];
}

/** Colour scale with its domain, then the marks that occur in the grids. */
export function legendShapes(
  theme: FigureTheme,
  area: Rect,
  domain: number,
  ...grids: readonly Pick<EffectGrid, 'detected' | 'state'>[]
): Shape[] {
  const middle = area.y + theme.sizes.axis / 2 + 2;
  const ramp = Math.min(150, area.width * 0.3);
  const low = formatNumber(-domain, domain === 1 ? 0 : 1);
  const high = `+${formatNumber(domain, domain === 1 ? 0 : 1)} ${words.recovery.toLowerCase()}`;
  let x = area.x + 4;
  const shapes: Shape[] = [label(theme, low, x, middle)];
  x += textWidth(low, theme.sizes.axis) + 5;
  const steps = theme.fills.length;
  for (let i = 0; i < steps; i++) {
    const value = ((i / (steps - 1)) * 2 - 1) * domain;
    const shape = { x: x + (i * ramp) / steps, y: middle - 4, width: ramp / steps + 0.3, height: 8 };
    shapes.push({ type: 'rect', shape, style: { fill: divergingStep(theme, value, domain).fill }, z2: 1 });
  }
  x += ramp + 5;
  shapes.push(label(theme, high, x, middle));
  x += textWidth(high, theme.sizes.axis) + 14;
  const has = (state: EffectGrid['state'][number]) => grids.some((g) => g.state.includes(state));
  const swatch = (present: boolean, text: string, draw: (rect: Rect) => Shape[]) => {
    const width = 20 + textWidth(text, theme.sizes.axis) + 12;
    if (!present || x + width > area.x + area.width + 8) return;
    const rect = { x, y: middle - 5, width: 14, height: 10 };
    const edge = { fill: theme.sunken, stroke: theme.border, lineWidth: 0.75 };
    shapes.push({ type: 'rect', shape: { ...rect }, style: edge, z2: 0 }, ...draw(rect));
    shapes.push(label(theme, text, x + 19, middle));
    x += width;
  };
  swatch(
    grids.some((g) => g.detected.includes(true)),
    words.detected,
    (r) => [
      { type: 'circle', shape: { cx: r.x + 7, cy: r.y + 5, r: 2.2 }, style: { fill: theme.title }, z2: 2 },
    ],
  );
  swatch(has('zero'), words.fixed, (r) => hatching([r], theme.hatch, 4, 0.6, 2));
  swatch(has('trivial'), words.trivial, (r) => hatching([r], theme.title, 4, 0.7, 2));
  return shapes;
}
