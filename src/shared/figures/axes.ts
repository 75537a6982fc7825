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

/** The smallest of 1, 2, 5 × 10ⁿ (from 0.1) that is at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(step, 0.1)));
  const factor = [1, 2, 5, 10].find((f) => f * power >= step - 1e-9) ?? 10;
  return Math.max(0.1, factor * power);
}

/** Lowest and highest value widened to whole steps, always holding zero; the step leaves at most `ticks` of them. */
export function extent(
  values: readonly (number | null)[],
  ticks = 7,
): { min: number; max: number; interval: number } {
  const present = values.filter((v): v is number => v !== null && Number.isFinite(v));
  const low = Math.min(0, ...present);
  const high = Math.max(0, ...present);
  const steps = (step: number) => [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)] as const;
  let interval = niceStep((high - low) / ticks);
  // Widening to whole steps can take one more than the range itself needs.
  while (steps(interval)[1] - steps(interval)[0] > ticks) interval = niceStep(interval * 1.5);
  const [below, above] = steps(interval);
  const round = (v: number) => Math.round(v * 1e6) / 1e6;
  return { min: round(below * interval), max: round(Math.max(above, below + 1) * interval), interval };
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
