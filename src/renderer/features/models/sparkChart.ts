import { valueAxis } from '../../../shared/figures/axes.ts';
import { tooltipStyle } from '../../../shared/figures/scene.ts';
import type { FigureTheme } from '../../../shared/figures/theme.ts';
import type { EChartsCoreOption } from '../../components/echarts.ts';
import { fixed } from '../../i18n/format.ts';

export interface Spark {
  readonly name: string;
  /** Epoch and value. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** All epochs of the run. */
  readonly until: number;
  readonly decimals: number;
  /** A level that matters, with its name. */
  readonly level?: { readonly at: number; readonly text: string } | undefined;
  /** Where the run is now; null once it ended. */
  readonly now: number | null;
}

/** A small line from zero over epochs. */
export function sparkOption(spark: Spark, theme: FigureTheme): EChartsCoreOption {
  const level = spark.level;
  return {
    animation: false,
    backgroundColor: theme.canvas,
    grid: { left: 34, right: 8, top: 8, bottom: 18 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'axis',
      axisPointer: { type: 'line', lineStyle: { color: theme.edge } },
      valueFormatter: (value: unknown) => fixed(Number(value), spark.decimals),
    },
    xAxis: {
      ...valueAxis(theme, { min: 0, max: spark.until, decimals: 0, grid: false }),
      interval: Math.max(1, Math.ceil(spark.until / 3)),
    },
    yAxis: { ...valueAxis(theme, { min: 0, decimals: spark.decimals }), splitNumber: 2 },
    series: [
      {
        type: 'line',
        name: spark.name,
        data: spark.points.map(([x, y]) => [x, y]),
        showSymbol: false,
        sampling: 'lttb',
        color: theme.text,
        lineStyle: { width: 1.4 },
        markLine: {
          silent: true,
          symbol: 'none',
          data: [
            ...(spark.now === null
              ? []
              : [
                  {
                    xAxis: spark.now,
                    label: { show: false },
                    lineStyle: { color: theme.accent, type: 'solid' },
                  },
                ]),
            ...(level === undefined
              ? []
              : [
                  {
                    yAxis: level.at,
                    lineStyle: { color: theme.warn, type: [3, 3] },
                    label: {
                      position: 'insideEndTop',
                      formatter: level.text,
                      color: theme.warn,
                      backgroundColor: theme.canvas,
                      padding: [1, 2],
                      fontFamily: theme.font,
                      fontSize: theme.sizes.axis,
                    },
                  },
                ]),
          ],
        },
      },
    ],
  };
}
