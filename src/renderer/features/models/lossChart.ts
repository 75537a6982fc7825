import type { EpochPoint, StepPoint, TrainingRun } from '../../../shared/domain/index.ts';
import { valueAxis } from '../../../shared/figures/axes.ts';
import { tooltipStyle } from '../../../shared/figures/scene.ts';
import type { FigureTheme } from '../../../shared/figures/theme.ts';
import type { EChartsCoreOption } from '../../components/echarts.ts';
import { fixed } from '../../i18n/format.ts';
import { t } from '../../i18n/index.ts';

/**
 * Centred moving mean over up to `reach` points on either side, fewer near the ends, so that the line
 * neither lags nor overshoots.
 */
export function smooth(values: readonly number[], reach: number): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value);
  return values.map((_, i) => {
    const r = Math.min(reach, i, values.length - 1 - i);
    return ((sums[i + r + 1] ?? 0) - (sums[i - r] ?? 0)) / (2 * r + 1);
  });
}

/** The epoch at which early stopping ends the run unless it improves; null where it never would. */
export function stopEpoch(run: TrainingRun, epochs: readonly EpochPoint[]): number | null {
  const best = epochs.findLast((point) => point.best);
  if (best === undefined || run.config.patience === 0) return null;
  const stop = best.epoch + run.config.patience;
  return stop < run.config.epochs ? stop : null;
}

export interface LossChart {
  readonly run: TrainingRun;
  readonly steps: readonly StepPoint[];
  readonly epochs: readonly EpochPoint[];
  /** Still training: what lies ahead is shaded and the present is marked. */
  readonly live: boolean;
  /** Last epoch shown. */
  readonly until: number;
}

/** Share of the values' range within which two names would overlap on a low chart. */
const CLOSE = 0.12;

/** Training loss (faint, and smoothed) and validation loss (dashed, squares) over epochs. */
export function lossOption(
  { run, steps, epochs, live, until }: LossChart,
  theme: FigureTheme,
): EChartsCoreOption {
  const blue = theme.categories[0] ?? theme.clean;
  const orange = theme.categories[5] ?? theme.corrupted;
  const means = smooth(
    steps.map((p) => p.loss),
    Math.round(steps.length / 60),
  );
  const now = steps.at(-1)?.epoch ?? 0;
  const best = epochs.findLast((point) => point.best);
  const stop = live ? stopEpoch(run, epochs) : null;
  const text = { fontFamily: theme.font, fontSize: theme.sizes.axis };
  const beside = Math.max(now, stop ?? 0);
  const names = [
    { text: t.models.chart.train(fixed(means.at(-1), 3)), at: means.at(-1), color: blue },
    {
      text: t.models.chart.validation(fixed(epochs.at(-1)?.validationLoss, 3)),
      at: epochs.at(-1)?.validationLoss,
      color: theme.corrupted,
    },
  ];
  const span = spread([...means, ...epochs.map((p) => p.validationLoss)]);
  const [trainEnd = 0, validationEnd = 0] = names.map((name) => name.at);
  const close = Math.abs(trainEnd - validationEnd) < CLOSE * span;
  /** Pixels by which names that would overlap move apart. */
  const apart = (at: number | undefined) => (close ? (at === Math.max(trainEnd, validationEnd) ? -8 : 8) : 0);
  const roomy = beside < until * 0.82;

  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: text,
    grid: { left: 40, right: roomy ? 12 : 116, top: 12, bottom: 36 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: theme.edge } },
      valueFormatter: (value: unknown) => fixed(Number(value), 3),
    },
    xAxis: {
      ...valueAxis(theme, { min: 0, max: until, decimals: 0, grid: false, name: t.models.chart.epoch }),
      nameLocation: 'end',
      nameGap: -theme.sizes.axis,
      nameTextStyle: {
        color: theme.muted,
        align: 'right',
        verticalAlign: 'top',
        padding: [22, 0, 0, 0],
        ...text,
      },
      minInterval: 1,
      splitNumber: Math.min(until, 15),
      axisLine: { show: true, onZero: false, lineStyle: { color: theme.edge } },
      axisTick: { show: true, length: 4, lineStyle: { color: theme.edge } },
    },
    yAxis: { ...valueAxis(theme), scale: true },
    series: [
      {
        type: 'line',
        data: steps.map((p) => [p.epoch, p.loss]),
        showSymbol: false,
        silent: true,
        sampling: 'lttb',
        tooltip: { show: false },
        lineStyle: { color: blue, width: 1, opacity: 0.28 },
        markArea: { silent: true, data: aheadAreas(theme, live ? now : until, until, best?.epoch, stop) },
        markLine: {
          silent: true,
          symbol: 'none',
          data: verticalLines(run, theme, live && steps.length > 0 ? now : null, stop, best, epochs),
        },
      },
      {
        type: 'line',
        name: t.models.twin.columns.trainLoss,
        data: steps.map((p, i) => [p.epoch, means[i] ?? p.loss]),
        showSymbol: false,
        sampling: 'lttb',
        color: blue,
        lineStyle: { width: 1.8 },
        z: 4,
      },
      {
        type: 'line',
        name: t.models.twin.columns.validationLoss,
        data: epochs.map((p) => [p.epoch, p.validationLoss]),
        symbol: 'rect',
        symbolSize: 6,
        showAllSymbol: true,
        color: orange,
        lineStyle: { width: 1.6, type: [5, 3] },
        z: 5,
        ...(best === undefined ? {} : { markPoint: bestMark(best, theme) }),
      },
      {
        // Names stand beside the lines' ends, past the line at which the run would stop.
        type: 'scatter',
        silent: true,
        symbolSize: 0.1,
        itemStyle: { opacity: 1 },
        tooltip: { show: false },
        data: names.map((name) => ({
          value: [beside, name.at ?? Number.NaN],
          label: { formatter: name.text, color: name.color, offset: [0, apart(name.at)] },
        })),
        label: { show: true, position: 'right', distance: 7, fontWeight: 620, ...text },
        clip: false,
        z: 6,
      },
    ],
  };
}

/** Largest minus smallest, of any number of values. */
function spread(values: readonly number[]): number {
  const { low, high } = values.reduce(
    (range, v) => ({ low: Math.min(range.low, v), high: Math.max(range.high, v) }),
    { low: Infinity, high: -Infinity },
  );
  return high - low;
}

/** What is ahead is sunken; the epochs that patience still allows are in the colour of warnings. */
function aheadAreas(
  theme: FigureTheme,
  now: number,
  until: number,
  best: number | undefined,
  stop: number | null,
) {
  const area = (from: number, to: number, color: string) => [
    { xAxis: from, itemStyle: { color } },
    { xAxis: to },
  ];
  return [
    ...(now < until ? [area(now, until, theme.sunken)] : []),
    ...(best !== undefined && stop !== null ? [area(best, Math.min(stop, until), theme.warnSoft)] : []),
  ];
}

function verticalLines(
  run: TrainingRun,
  theme: FigureTheme,
  now: number | null,
  stop: number | null,
  best: EpochPoint | undefined,
  epochs: readonly EpochPoint[],
) {
  const { chart } = t.models;
  const used = best === undefined ? 0 : (epochs.at(-1)?.epoch ?? best.epoch) - best.epoch;
  return [
    ...(now === null
      ? []
      : [
          {
            xAxis: now,
            label: { show: false },
            lineStyle: { color: theme.accent, width: 1.3, type: 'solid' },
          },
        ]),
    ...(stop === null || best === undefined
      ? []
      : [
          {
            xAxis: stop,
            lineStyle: { color: theme.warn, width: 1, type: [4, 3] },
            label: {
              position: 'end',
              align: 'left',
              verticalAlign: 'top',
              distance: 0,
              padding: [2, 0, 0, 7],
              rotate: 0,
              color: theme.warn,
              fontFamily: theme.font,
              fontSize: theme.sizes.axis,
              lineHeight: 15,
              formatter: `${chart.stops(stop)}\n${chart.below(fixed(best.validationLoss, 3))}\n{quiet|${chart.patience(run.config.patience, used)}}`,
              rich: { quiet: { color: theme.muted, fontSize: theme.sizes.axis } },
            },
          },
        ]),
  ];
}

function bestMark(best: EpochPoint, theme: FigureTheme) {
  return {
    silent: true,
    symbol: 'circle',
    symbolSize: 14,
    itemStyle: { color: 'transparent', borderColor: theme.title, borderWidth: 1.5 },
    label: {
      // Early on the curves still fall steeply: then beside the circle, not across them.
      ...(best.epoch < 4 ? { position: [14, -30], align: 'left' } : { position: 'top', distance: 10 }),
      lineHeight: 14,
      textBorderColor: theme.canvas,
      textBorderWidth: 3,
      color: theme.title,
      fontFamily: theme.font,
      fontSize: theme.sizes.axis,
      formatter: `{best|${t.models.chart.best(fixed(best.validationLoss, 3))}}\n{quiet|${t.models.chart.kept(best.epoch)}}`,
      rich: {
        best: { fontWeight: 620, color: theme.title, fontSize: theme.sizes.axis },
        quiet: { color: theme.muted, fontSize: theme.sizes.axis },
      },
    },
    data: [{ coord: [best.epoch, best.validationLoss] }],
  };
}
