import type { FigureTheme } from './theme.ts';
import { formatNumber } from './format.ts';

interface AxisOptions {
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: number;
  /** Grid lines across the plot. */
  readonly grid?: boolean;
  readonly interval?: number;
  readonly nameGap?: number;
}

/** A value axis in the figures' type: true minus, fixed decimals, quiet lines. */
export function valueAxis(theme: FigureTheme, o: AxisOptions = {}) {
  const { axis } = theme.sizes;
  return {
    type: 'value' as const,
    ...(o.min === undefined ? {} : { min: o.min }),
    ...(o.max === undefined ? {} : { max: o.max }),
    ...(o.interval === undefined ? {} : { interval: o.interval }),
    ...(o.name === undefined
      ? {}
      : {
          name: o.name,
          nameLocation: 'middle' as const,
          nameGap: o.nameGap ?? axis * 2.4,
          nameTextStyle: { color: theme.muted, fontFamily: theme.font, fontSize: axis },
        }),
    axisLabel: {
      color: theme.muted,
      fontFamily: theme.font,
      fontSize: axis,
      hideOverlap: true,
      formatter: (value: number) => formatNumber(value, o.decimals ?? 1),
    },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { show: o.grid ?? true, lineStyle: { color: theme.line, width: 1 } },
  };
}

/** Lowest and highest value, widened to whole multiples of `step`, always holding zero. */
export function extent(values: readonly (number | null)[], step: number): { min: number; max: number } {
  const present = values.filter((v): v is number => v !== null && Number.isFinite(v));
  const low = Math.min(0, ...present);
  const high = Math.max(0, ...present);
  const round = (v: number) => Math.round(v / step) * step;
  return {
    min: round(Math.floor(low / step - 1e-9) * step),
    max: round(Math.ceil(high / step + 1e-9) * step),
  };
}

/** Darker than the grid: where nothing changes. */
export function zeroLine(theme: FigureTheme, axis: 'x' | 'y') {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: theme.edge, type: 'solid' as const, width: 1.25 },
    data: [axis === 'x' ? { xAxis: 0 } : { yAxis: 0 }],
  };
}
