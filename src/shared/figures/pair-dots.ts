import type { EChartsOption } from 'echarts';
import type { SiteDetail } from '../domain/index.ts';
import { extent } from './axes.ts';
import { formatInterval, formatNumber } from './format.ts';
import { label, line, sceneOption, type Shape, type Size, tipText, textWidth } from './scene.ts';
import { swarm } from './swarm.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

/**
 * Recovery of every pair at one site as dots, over the mean with its 95 % interval; where there are no ratios the
 * change of the metric in its own unit.
 */
export function pairDots(
  detail: Pick<SiteDetail, 'pairs' | 'recovery' | 'low' | 'high' | 'noRatio'>,
  theme: FigureTheme,
  size: Size,
): EChartsOption {
  const ratios = detail.noRatio === undefined;
  const dots = detail.pairs.flatMap(({ id, recovery, effect = null }) => {
    const value = ratios ? recovery : effect;
    return value === null ? [] : [{ id, value }];
  });
  const { min, max, interval } = extent(
    [...dots.map((d) => d.value), detail.low, detail.high, 0.2],
    Math.max(2, Math.floor(size.width / 38)),
  );
  const left = 10;
  const width = Math.max(1, size.width - 2 * left);
  const x = (value: number) => left + ((value - min) / (max - min)) * width;
  const bottom = size.height - theme.sizes.axis - 8;
  const shapes: Shape[] = [];
  for (let i = Math.round(min / interval); i <= Math.round(max / interval); i++) {
    const zero = i === 0;
    shapes.push(
      line(x(i * interval), 4, x(i * interval), bottom, zero ? theme.edge : theme.line, zero ? 1.5 : 1, 0),
    );
    shapes.push(
      label(theme, formatNumber(i * interval, interval < 1 ? 1 : 0), x(i * interval), bottom + 8, {
        align: 'center',
      }),
    );
  }
  const middle = 4 + (bottom - 4) * 0.36;
  const room = (bottom - 4) * 0.34;
  const radius = Math.max(2, Math.min(4.5, room / Math.sqrt(dots.length + 1)));
  const rows = swarm(
    dots.map((d) => x(d.value)),
    radius * 2,
  );
  const pitch = Math.min(radius * 1.7, room / Math.max(1, ...rows.map(Math.abs)));
  dots.forEach((dot, i) =>
    shapes.push({
      type: 'circle',
      shape: { cx: x(dot.value), cy: middle + (rows[i] ?? 0) * pitch, r: radius },
      style: { fill: theme.categories[0], stroke: theme.canvas, lineWidth: 0.75, opacity: 0.7 },
      hover: { fill: theme.categories[0], opacity: 1, stroke: theme.title },
      tip: tipText([dot.id, `${ratios ? words.recovery : words.effect} ${formatNumber(dot.value)}`]),
      z2: 3,
    }),
  );
  if (detail.recovery !== null)
    shapes.push(...meanShapes(detail, x, (bottom - 4) * 0.86, theme, detail.recovery, size));
  return sceneOption(shapes, theme);
}

function meanShapes(
  { low, high }: Pick<SiteDetail, 'low' | 'high'>,
  x: (value: number) => number,
  y: number,
  theme: FigureTheme,
  mean: number,
  size: Size,
): Shape[] {
  const from = x(low ?? mean);
  const to = x(high ?? mean);
  const text = words.mean;
  const leftSide = from - textWidth(text, theme.sizes.axis) - 8 > 0;
  return [
    ...(low === null || high === null
      ? []
      : [
          line(from, y, to, y, theme.title, 1.5, 4),
          line(from, y - 4, from, y + 4, theme.title, 1.5, 4),
          line(to, y - 4, to, y + 4, theme.title, 1.5, 4),
        ]),
    {
      type: 'rect',
      shape: { x: x(mean) - 4, y: y - 4, width: 8, height: 8 },
      style: { fill: theme.title },
      tip: tipText([words.mean, formatNumber(mean), formatInterval(low, high)]),
      z2: 5,
    },
    ...(low === null || (!leftSide && to + textWidth(text, theme.sizes.axis) > size.width)
      ? []
      : [
          label(theme, text, leftSide ? from - 8 : to + 8, y, {
            align: leftSide ? 'right' : 'left',
            fill: theme.text,
          }),
        ]),
  ];
}

export interface GapDot {
  readonly id: string;
  readonly gap: number;
}

/** Gaps of a pair set as stacked dots; the zone below `unsafe` is shaded, the open pair ringed and named. */
export function gapDots(
  dots: readonly GapDot[],
  current: string | null,
  unsafe: number,
  theme: FigureTheme,
  size: Size,
): EChartsOption {
  const { min, max, interval } = extent(
    [...dots.map((d) => d.gap), 1],
    Math.max(2, Math.floor(size.width / 30)),
  );
  const left = 12;
  const width = Math.max(1, size.width - 2 * left);
  const x = (value: number) => left + ((value - min) / (max - min)) * width;
  const bottom = size.height - theme.sizes.axis - 8;
  const shapes: Shape[] = [
    {
      type: 'rect',
      shape: {
        x: x(Math.max(min, -unsafe)),
        y: 14,
        width: x(unsafe) - x(Math.max(min, -unsafe)),
        height: bottom - 14,
      },
      style: { fill: theme.badSoft },
      z2: 0,
    },
    {
      type: 'line',
      shape: { x1: x(unsafe), y1: 14, x2: x(unsafe), y2: bottom },
      style: { stroke: theme.bad, lineWidth: 1, lineDash: [3, 2] },
      z2: 1,
    },
    line(left, bottom, size.width - left, bottom, theme.border),
  ];
  for (let i = Math.round(min / interval); i <= Math.round(max / interval); i++) {
    shapes.push(
      label(theme, formatNumber(i * interval, interval < 1 ? 1 : 0), x(i * interval), bottom + 8, {
        align: 'center',
      }),
    );
  }
  const radius = Math.max(1.5, Math.min(3.25, Math.sqrt((width * (bottom - 20)) / (dots.length * 30 + 1))));
  // Values in bins of one dot's width, so that equal gaps pile up.
  const binned = dots.map((d) => Math.round(x(d.gap) / (radius * 2.2)) * radius * 2.2);
  const rows = swarm(binned, radius * 2, 'up');
  const pitch = Math.min(radius * 2.1, (bottom - 18) / (Math.max(0, ...rows) + 1));
  dots.forEach((dot, i) => {
    const open = dot.id === current;
    const cx = binned[i] ?? 0;
    const cy = bottom - radius - 1 - (rows[i] ?? 0) * pitch;
    shapes.push({
      type: 'circle',
      shape: { cx, cy, r: radius },
      style: { fill: open ? theme.accent : theme.edge },
      hover: { fill: theme.title },
      tip: tipText([dot.id, formatNumber(dot.gap)]),
      z2: open ? 4 : 2,
    });
    if (!open) return;
    const text = `${dot.id}, ${formatNumber(dot.gap)}`;
    const half = textWidth(text, theme.sizes.axis) / 2 + 3;
    shapes.push(
      line(cx, 14, cx, cy - radius, theme.accent, 1, 3),
      {
        type: 'circle',
        shape: { cx, cy, r: radius + 2 },
        style: { fill: 'none', stroke: theme.accent, lineWidth: 1.5 },
        z2: 5,
      },
      label(theme, text, Math.min(size.width - half, Math.max(half, cx)), 6, {
        align: 'center',
        weight: 600,
        fill: theme.accentText,
      }),
    );
  });
  return sceneOption(shapes, theme);
}
