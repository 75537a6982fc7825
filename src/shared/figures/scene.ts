import type { EChartsOption } from 'echarts';
import type { FigureTheme } from './theme.ts';

/** A place in a figure, in pixels from its top left corner. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Which site a shape stands for; carried to the click and hover events of the chart. */
export interface SitePoint {
  readonly layer: number;
  readonly column: number;
}

type Style = Readonly<Record<string, string | number | readonly number[] | undefined>>;

/** One drawn element; without `tip` or `site` it takes no part in hovering and clicking. */
export interface Shape {
  readonly type: 'rect' | 'circle' | 'line' | 'polyline' | 'polygon' | 'path' | 'text';
  readonly shape?: Readonly<Record<string, number | string | readonly (readonly number[])[]>>;
  readonly style: Style;
  readonly z2?: number;
  /** Radians, counter-clockwise, about (x, y) below. */
  readonly rotation?: number;
  readonly x?: number;
  readonly y?: number;
  /** Style while the pointer is over it. */
  readonly hover?: Style;
  readonly tip?: string;
  readonly site?: SitePoint;
}

/** What a chart event of a scene carries in its `data`. */
export interface SceneDatum {
  readonly value: number;
  readonly site?: SitePoint;
}

/**
 * An ECharts option that draws shapes at fixed places: one custom series outside any coordinate system.
 * Tips are rich text drawn by the renderer, never HTML.
 */
export function sceneOption(shapes: readonly Shape[], theme: FigureTheme, tips = true): EChartsOption {
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    tooltip: tips ? tooltip(theme, (index) => shapes[index]?.tip) : { show: false },
    series: [
      {
        type: 'custom',
        coordinateSystem: 'none',
        progressive: 0,
        data: shapes.map((shape): SceneDatum =>
          shape.site === undefined ? { value: 0 } : { value: 0, site: shape.site },
        ),
        // ECharts types one literal per element type; the shapes are those types with their fields open.
        renderItem: (params: { dataIndex: number }) => element(shapes[params.dataIndex]) as never,
      },
    ],
  };
}

function element(shape: Shape | undefined): object | null {
  if (shape === undefined) return null;
  const { type, style, hover, tip, site, ...rest } = shape;
  const silent = tip === undefined && site === undefined;
  return {
    // What is left out keeps its value in a reused element.
    x: 0,
    y: 0,
    rotation: 0,
    ...rest,
    type,
    style,
    silent,
    ...(hover === undefined ? { emphasisDisabled: true } : { emphasis: { style: hover } }),
  };
}

/** Tooltip settings shared by all figures. */
function tooltip(
  theme: FigureTheme,
  text: (dataIndex: number) => string | undefined,
): NonNullable<EChartsOption['tooltip']> {
  return {
    ...tooltipStyle(theme),
    trigger: 'item',
    formatter: (params: unknown) => text(dataIndexOf(params)) ?? '',
  };
}

export function tooltipStyle(theme: FigureTheme) {
  return {
    renderMode: 'richText' as const,
    confine: true,
    backgroundColor: theme.canvas,
    borderColor: theme.border,
    borderWidth: 1,
    padding: [6, 10],
    textStyle: { color: theme.text, fontFamily: theme.font, fontSize: theme.sizes.axis + 1, lineHeight: 16 },
  };
}

function dataIndexOf(params: unknown): number {
  return typeof params === 'object' && params !== null && 'dataIndex' in params
    ? Number(params.dataIndex)
    : -1;
}

/** Text of a tip: braces would start a style of the rich text. */
export function tipText(lines: readonly string[]): string {
  return lines.join('\n').replaceAll('{', '❴').replaceAll('}', '❵');
}

/** Approximate width of a text: exact measuring needs a canvas, which exports do not have. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const char of text) {
    if (/[iljt.,:;'|!()[\] ·−-]/.test(char)) width += 0.34;
    else if (/[A-ZmwMW%⟨⟩…]/.test(char)) width += 0.74;
    else width += 0.58;
  }
  return width * size;
}

interface TextOptions {
  readonly size?: number;
  readonly weight?: number;
  readonly fill?: string;
  readonly align?: 'left' | 'center' | 'right';
  readonly baseline?: 'top' | 'middle' | 'bottom';
  readonly rotation?: number;
  readonly z2?: number;
  readonly maxWidth?: number;
}

/** A line of text at (x, y). */
export function label(theme: FigureTheme, text: string, x: number, y: number, o: TextOptions = {}): Shape {
  return {
    type: 'text',
    x,
    y,
    ...(o.rotation === undefined ? {} : { rotation: o.rotation }),
    z2: o.z2 ?? 5,
    style: {
      text,
      x: 0,
      y: 0,
      fill: o.fill ?? theme.muted,
      fontFamily: theme.font,
      fontSize: o.size ?? theme.sizes.axis,
      fontWeight: o.weight ?? 400,
      align: o.align ?? 'left',
      verticalAlign: o.baseline ?? 'middle',
      ...(o.maxWidth === undefined ? {} : { width: o.maxWidth, overflow: 'truncate', ellipsis: '…' }),
    },
  };
}

export function line(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  stroke: string,
  width = 1,
  z2 = 2,
): Shape {
  return { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: width, fill: 'none' }, z2 };
}

/** Parallel 45° lines over rectangles as one path; every line is cut at the rectangle's edge. */
export function hatching(rects: readonly Rect[], stroke: string, gap: number, opacity = 1, z2 = 1): Shape[] {
  const d = rects.map((rect) => hatchPath(rect, gap)).join('');
  return d === ''
    ? []
    : [{ type: 'path', shape: { pathData: d }, style: { stroke, lineWidth: 1, fill: 'none', opacity }, z2 }];
}

function hatchPath({ x, y, width, height }: Rect, gap: number): string {
  let d = '';
  const step = gap * Math.SQRT2;
  const round = (v: number) => Math.round(v * 100) / 100;
  // Lines x + y = c, on one lattice for the whole figure, so that neighbouring cells join.
  for (let c = Math.ceil((x + y) / step) * step; c < x + y + width + height; c += step) {
    const x1 = Math.max(x, c - (y + height));
    const x2 = Math.min(x + width, c - y);
    if (x2 > x1) d += `M${round(x1)} ${round(c - x1)}L${round(x2)} ${round(c - x2)}`;
  }
  return d;
}
