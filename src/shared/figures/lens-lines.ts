import type { EChartsOption } from 'echarts';
import type { LensView } from '../domain/index.ts';
import { extent, valueAxis, zeroLine } from './axes.ts';
import { formatNumber, visibleToken } from './format.ts';
import { type Size, tipText, tooltipStyle } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** Logit difference that the residual stream would give before each block and behind the last one. */
export function lensLines(view: LensView, theme: FigureTheme, size: Size): EChartsOption {
  const values = view.layers.map((layer) => layer.logitDiff);
  const { min, max, interval } = extent(values, Math.max(2, Math.floor(size.height / 34)));
  return {
    animation: false,
    backgroundColor: theme.canvas,
    textStyle: { fontFamily: theme.font },
    grid: { left: 46, right: 12, top: 10, bottom: 36 },
    tooltip: {
      ...tooltipStyle(theme),
      trigger: 'item',
      formatter: (params: unknown) => tip(view, params),
    },
    xAxis: {
      ...valueAxis(theme, {
        name: words.beforeLayer,
        min: 0,
        max: Math.max(1, values.length - 1),
        decimals: 0,
        grid: false,
      }),
      minInterval: 1,
    },
    yAxis: valueAxis(theme, { name: words.logitDiff, min, max, interval, nameGap: 32 }),
    series: [
      {
        type: 'line',
        data: values.map((value, layer) => [layer, value]),
        symbol: 'circle',
        symbolSize: 6,
        color: theme.categories[0] ?? theme.text,
        lineStyle: { width: 1.75 },
        markLine: zeroLine(theme, 'y'),
      },
    ],
  };
}

function tip(view: LensView, params: unknown): string {
  const index =
    typeof params === 'object' && params !== null && 'dataIndex' in params ? Number(params.dataIndex) : 0;
  const layer = view.layers[index];
  if (layer === undefined) return '';
  return tipText([
    index === view.layers.length - 1 ? words.output : `${words.beforeLayer} ${index}`,
    `${words.logitDiff} ${formatNumber(layer.logitDiff)}`,
    `${words.answer} ${formatNumber(layer.answer, 3)}, ${words.wrong} ${formatNumber(layer.wrong, 3)}`,
    layer.top
      .slice(0, 3)
      .map(({ token, probability }) => `${visibleToken(token)} ${formatNumber(probability, 2)}`)
      .join('  '),
  ]);
}
