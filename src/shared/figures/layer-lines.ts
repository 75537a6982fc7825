import type { EChartsOption } from 'echarts';
import type { EffectGrid } from '../domain/index.ts';
import { extent, valueAxis, zeroLine } from './axes.ts';
import { formatInterval, formatNumber } from './format.ts';
import { type Size, tipText, tooltipStyle } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** A sweep of whole layers, or one column of a grid, as a line over the layers. */
export interface LayerSeries {
  readonly label: string;
  readonly grid: EffectGrid;
  /** Column of the grid; default 0, the only one of a `layer` grid. */
  readonly column?: number;
}

const SYMBOLS = ['circle', 'rect', 'triangle', 'diamond'] as const;
/** Okabe-Ito colours that carry a line thinner than 2 px. */
const LINE_COLOURS = [0, 5, 2, 3] as const;

/** Recovery over layers, one line a sweep, 95 % intervals as whiskers, labels beside the lines. */
export function layerLines(series: readonly LayerSeries[], theme: FigureTheme, size: Size): EChartsOption {
  const at = (s: LayerSeries, layer: number) => layer * s.grid.columns + (s.column ?? 0);
  const layers = Math.max(0, ...series.map((s) => s.grid.layers));
  const recoveries = series.flatMap((s) =>
    Array.from({ length: s.grid.layers }, (_, l) => s.grid.recovery[at(s, l)] ?? null),
  );
  // Wide intervals end at the frame: they must not press the lines flat.
  const reach = Math.max(1, ...recoveries.map((v) => 2 * Math.abs(v ?? 0)));
  const clamp = (v: number | null | undefined) =>
    typeof v === 'number' ? Math.max(-reach, Math.min(reach, v)) : null;
  const ends = series.flatMap((s) =>
    Array.from({ length: s.grid.layers }, (_, l) => [
      clamp(s.grid.low[at(s, l)]),
      clamp(s.grid.high[at(s, l)]),
    ]),
  );
  const values = [...recoveries, ...ends.flat()];
  const range = extent(values);
  const colour = (i: number) => theme.categories[LINE_COLOURS[i % LINE_COLOURS.length] ?? 0] ?? theme.text;
  const right = Math.min(
    180,
    18 + Math.max(0, ...series.map((s) => s.label.length)) * theme.sizes.axis * 0.6,
  );
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    grid: { left: 46, right: Math.min(right, size.width * 0.35), top: 12, bottom: 40 },
    tooltip: { ...tooltipStyle(theme), trigger: 'item' },
    xAxis: {
      ...valueAxis(theme, {
        name: words.layer,
        min: 0,
        max: Math.max(1, layers - 1),
        decimals: 0,
        grid: false,
      }),
      minInterval: 1,
    },
    yAxis: valueAxis(theme, { name: words.recovery, ...range, nameGap: 32 }),
    series: series.flatMap((s, i) => [
      {
        type: 'line' as const,
        name: s.label,
        data: Array.from({ length: s.grid.layers }, (_, l) => [l, s.grid.recovery[at(s, l)] ?? null]),
        symbol: SYMBOLS[i % SYMBOLS.length] ?? 'circle',
        symbolSize: 6,
        connectNulls: false,
        color: colour(i),
        lineStyle: { width: 1.75, type: i % 2 === 0 ? ('solid' as const) : ('dashed' as const) },
        endLabel: { show: true, formatter: () => s.label, color: theme.text, fontSize: theme.sizes.axis },
        labelLayout: { moveOverlap: 'shiftY' as const },
        tooltip: {
          formatter: (params: unknown) => lineTip(s, params, at),
        },
        ...(i === 0 ? { markLine: zeroLine(theme, 'y') } : {}),
      },
      whiskers(
        Array.from({ length: s.grid.layers }, (_, l) => [
          l,
          s.grid.low[at(s, l)] ?? null,
          s.grid.high[at(s, l)] ?? null,
        ]),
        colour(i),
      ),
    ]),
  };
}

function lineTip(s: LayerSeries, params: unknown, at: (s: LayerSeries, layer: number) => number): string {
  const layer =
    typeof params === 'object' && params !== null && 'dataIndex' in params ? Number(params.dataIndex) : 0;
  const i = at(s, layer);
  return tipText([
    `${s.label}, ${words.layer.toLowerCase()} ${layer}`,
    `${words.recovery} ${formatNumber(s.grid.recovery[i])}`,
    `${words.interval} ${formatInterval(s.grid.low[i] ?? null, s.grid.high[i] ?? null)}`,
    `${words.pairs} ${s.grid.pairsDone}`,
  ]);
}

/** Vertical intervals with caps at [x, low, high]; rows without an interval draw nothing. */
function whiskers(rows: readonly (readonly (number | null)[])[], colour: string) {
  return {
    type: 'custom' as const,
    silent: true,
    clip: true,
    data: rows.filter((row) => row[1] !== null && row[2] !== null).map((row) => [...row]),
    encode: { x: 0, y: [1, 2] },
    renderItem: (_: unknown, api: { value: (i: number) => unknown; coord: (p: number[]) => number[] }) => {
      const x = Number(api.value(0));
      const [px = 0, low = 0] = api.coord([x, Number(api.value(1))]);
      const [, high = 0] = api.coord([x, Number(api.value(2))]);
      const stroke = (x1: number, y1: number, x2: number, y2: number) => ({
        type: 'line' as const,
        shape: { x1, y1, x2, y2 },
        style: { stroke: colour, lineWidth: 1.25 },
      });
      return {
        type: 'group' as const,
        children: [
          stroke(px, low, px, high),
          stroke(px - 3, low, px + 3, low),
          stroke(px - 3, high, px + 3, high),
        ],
      };
    },
  };
}
