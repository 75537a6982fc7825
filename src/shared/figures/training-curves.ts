import type { EChartsOption } from 'echarts';
import type { EpochPoint, StepPoint } from '../domain/index.ts';
import { valueAxis } from './axes.ts';
import { formatCount, formatNumber } from './format.ts';
import { type Size, tooltipStyle } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/**
 * Loss over optimizer steps: training solid, validation dashed with squares at the end of each epoch, names
 * beside the lines, and a line at the epoch whose weights were kept.
 */
export function trainingCurves(
  steps: readonly StepPoint[],
  epochs: readonly EpochPoint[],
  theme: FigureTheme,
  size: Size,
): EChartsOption {
  const best = epochs.findLast((point) => point.best);
  const [train, validation] = [theme.categories[0] ?? theme.clean, theme.categories[5] ?? theme.corrupted];
  const last = Math.max(1, steps.at(-1)?.step ?? 0, epochs.at(-1)?.step ?? 0);
  const named = (name: string, colour: string) => ({
    endLabel: {
      show: true,
      formatter: () => name,
      color: colour,
      fontSize: theme.sizes.axis,
      fontFamily: theme.font,
    },
    labelLayout: { moveOverlap: 'shiftY' as const },
  });
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    grid: { left: 48, right: Math.min(76, size.width * 0.2), top: 20, bottom: 38 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: theme.edge } },
      valueFormatter: (value: unknown) =>
        formatNumber(Array.isArray(value) ? Number(value[1]) : Number(value), 3),
    },
    xAxis: {
      ...valueAxis(theme, { name: words.step, min: 0, max: last, grid: false }),
      axisLabel: {
        color: theme.muted,
        fontFamily: theme.font,
        fontSize: theme.sizes.axis,
        hideOverlap: true,
        formatter: (value: number) => formatCount(value),
      },
    },
    yAxis: { ...valueAxis(theme, { name: words.lossAxis, nameGap: 34 }), scale: true },
    series: [
      {
        type: 'line',
        name: words.train,
        data: steps.map((p) => [p.step, p.loss]),
        showSymbol: false,
        sampling: 'lttb',
        color: train,
        lineStyle: { width: 1.5 },
        ...named(words.train, train),
        ...(best === undefined
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                lineStyle: { color: theme.accent, type: 'solid', width: 1 },
                label: {
                  formatter: words.kept(best.epoch),
                  color: theme.accentText,
                  fontSize: theme.sizes.axis,
                  position: 'end',
                },
                data: [{ xAxis: best.step }],
              },
            }),
      },
      {
        type: 'line',
        name: words.validation,
        data: epochs.map((p) => [p.step, p.validationLoss]),
        symbol: 'rect',
        symbolSize: 6,
        color: validation,
        lineStyle: { width: 1.75, type: 'dashed' },
        ...named(words.validation, validation),
      },
    ],
  };
}

/** A small line without heading: learning rate, gradient norm, tokens per second. */
export function smallLine(
  points: readonly (readonly [x: number, y: number])[],
  theme: FigureTheme,
  format: (value: number) => string,
): EChartsOption {
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    grid: { left: 46, right: 10, top: 8, bottom: 20 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: theme.edge } },
      valueFormatter: (value: unknown) => format(Array.isArray(value) ? Number(value[1]) : Number(value)),
    },
    xAxis: { ...valueAxis(theme, { grid: false, decimals: 0 }), splitNumber: 3 },
    yAxis: {
      ...valueAxis(theme),
      scale: true,
      splitNumber: 2,
      axisLabel: {
        color: theme.muted,
        fontFamily: theme.font,
        fontSize: theme.sizes.axis,
        formatter: (value: number) => format(value),
      },
    },
    series: [
      {
        type: 'line',
        data: points.map((p) => [...p]),
        showSymbol: false,
        sampling: 'lttb',
        color: theme.categories[0] ?? theme.clean,
        lineStyle: { width: 1.25 },
      },
    ],
  };
}
