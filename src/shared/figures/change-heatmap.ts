import type { EChartsOption } from 'echarts';
import { METRICS, type EffectGrid } from '../domain/index.ts';
import { effectHeatmap } from './effect-heatmap.ts';
import type { Size } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** The largest |change| of a measured site, in the metric's unit; 0 where nothing was measured. */
function largestChange(grid: EffectGrid): number {
  return Math.max(
    0,
    ...(grid.effect ?? []).map((value, i) => (grid.state[i] === 'open' ? Math.abs(value ?? 0) : 0)),
  );
}

/**
 * Changes of the metric in its own unit, for a grid without ratios. Its colours reach as far as the largest change,
 * which the heading names: there is no common scale to stand on.
 */
export function changeHeatmap(grid: EffectGrid, theme: FigureTheme, size: Size): EChartsOption {
  const { noRatio: _why, ...rest } = grid;
  const nothing = grid.recovery.map(() => null);
  const reach = largestChange(grid);
  const metric = METRICS.find((m) => m.name === grid.metric)?.label ?? grid.metric;
  return effectHeatmap(
    { ...rest, recovery: grid.effect ?? nothing, low: nothing, high: nothing },
    theme,
    size,
    { domain: reach > 0 ? reach : 1, title: words.changes(metric, reach.toPrecision(2)), tips: false },
  );
}
