import type { EChartsOption } from 'echarts';
import { extent, valueAxis, zeroLine } from './axes.ts';
import { formatNumber } from './format.ts';
import { type SitePoint, type Size, tipText, tooltipStyle } from './scene.ts';
import type { FigureTheme } from './theme.ts';

export interface ScatterPoint extends SitePoint {
  readonly site: string;
  /** Shorter name beside the dot, where the whole one is too long. */
  readonly label?: string;
  readonly a: number;
  readonly b: number;
  /** Where it is detected. */
  readonly where: 'both' | 'a' | 'b' | 'none';
}

/** One dot a site: A across, B up, the line of equality dashed; detected sites by shape and name. */
export function scatterCompare(
  points: readonly ScatterPoint[],
  labels: { readonly a: string; readonly b: string },
  theme: FigureTheme,
  size: Size,
): EChartsOption {
  const range = extent(points.flatMap((p) => [p.a, p.b]));
  const { min, max } = range;
  const orange = theme.categories[5] ?? theme.corrupted;
  const looks = {
    none: { symbol: 'circle', size: 4, fill: theme.edge, edge: theme.edge, opacity: 0.45 },
    both: {
      symbol: 'circle',
      size: 8,
      fill: theme.categories[0] ?? theme.clean,
      edge: theme.canvas,
      opacity: 1,
    },
    a: { symbol: 'rect', size: 8, fill: theme.canvas, edge: orange, opacity: 1 },
    b: { symbol: 'triangle', size: 9, fill: theme.canvas, edge: orange, opacity: 1 },
  } as const;
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    grid: { left: 48, right: 14, top: 16, bottom: 40 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'item',
      formatter: (params: unknown) => {
        const point = pointOf(params);
        return point === null
          ? ''
          : tipText([point.site, `A ${formatNumber(point.a)}`, `B ${formatNumber(point.b)}`]);
      },
    },
    xAxis: valueAxis(theme, { name: labels.a, ...range, nameGap: theme.sizes.axis * 2.2 }),
    yAxis: valueAxis(theme, { name: labels.b, ...range, nameGap: 34 }),
    series: (['none', 'both', 'a', 'b'] as const).map((where) => {
      const look = looks[where];
      return {
        type: 'scatter' as const,
        symbol: look.symbol,
        symbolSize: look.size,
        itemStyle: {
          color: look.fill,
          borderColor: look.edge,
          borderWidth: where === 'none' ? 0 : 1.75,
          opacity: look.opacity,
        },
        data: points
          .filter((p) => p.where === where)
          .map((p) => ({
            value: [p.a, p.b],
            point: p,
            site: { layer: p.layer, column: p.column },
            label: { position: p.a > (min + max) / 2 ? ('left' as const) : ('right' as const) },
          })),
        ...(where === 'none' ? { markLine: referenceLines(theme, min, max) } : {}),
        label: {
          show: where !== 'none' && size.width > 220,
          position: 'right' as const,
          formatter: (params: unknown) => {
            const point = pointOf(params);
            return point?.label ?? point?.site ?? '';
          },
          color: theme.text,
          fontSize: theme.sizes.axis,
        },
        labelLayout: { moveOverlap: 'shiftY' as const, hideOverlap: true },
        z: where === 'none' ? 2 : 3,
      };
    }),
  };
}

/** Axes through zero and the dashed line of equality. */
function referenceLines(theme: FigureTheme, min: number, max: number) {
  const zero = zeroLine(theme, 'x');
  return {
    ...zero,
    data: [
      ...zero.data,
      ...zeroLine(theme, 'y').data,
      [
        { coord: [min, min], lineStyle: { color: theme.faint, type: 'dashed' as const, width: 1 } },
        { coord: [max, max] },
      ] as [{ coord: number[]; lineStyle: object }, { coord: number[] }],
    ],
  };
}

function pointOf(params: unknown): ScatterPoint | null {
  const data = typeof params === 'object' && params !== null && 'data' in params ? params.data : null;
  return typeof data === 'object' && data !== null && 'point' in data ? (data.point as ScatterPoint) : null;
}
