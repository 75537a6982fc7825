import type { EChartsOption } from 'echarts';
import { formatInterval, formatNumber } from './format.ts';
import { label, line, sceneOption, type Shape, type Size, textWidth, tipText } from './scene.ts';
import type { FigureTheme } from './theme.ts';

export interface IntervalRow {
  readonly label: string;
  /** Fractions of one; shown in percent. */
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Shares with their 95 % intervals, one row each, on a common percent axis from zero (or around it). */
export function localisationIntervals(
  rows: readonly IntervalRow[],
  theme: FigureTheme,
  size: Size,
  around: 'share' | 'difference' = 'share',
): EChartsOption {
  const { axis } = theme.sizes;
  const left = Math.min(size.width * 0.4, 12 + Math.max(0, ...rows.map((r) => textWidth(r.label, axis + 1))));
  const right = size.width - 16;
  const ends = rows.flatMap((r) => [r.value, r.low, r.high]).filter((v): v is number => v !== null);
  const step = 0.2;
  const reach = Math.max(step, ...ends.map(Math.abs));
  const max = Math.min(1, Math.ceil(reach / step - 1e-9) * step);
  const min = around === 'share' ? 0 : -max;
  const x = (v: number) => left + ((v - min) / (max - min)) * (right - left);
  const bottom = size.height - axis - 8;
  const shapes: Shape[] = [];
  for (let i = Math.round(min / step); i <= Math.round(max / step); i++) {
    const at = x(i * step);
    shapes.push(line(at, 2, at, bottom, i === 0 && around === 'difference' ? theme.edge : theme.line));
    shapes.push(label(theme, `${formatNumber(i * step * 100, 0)} %`, at, bottom + 8, { align: 'center' }));
  }
  const pitch = bottom / Math.max(1, rows.length);
  rows.forEach((row, i) => {
    const y = pitch * (i + 0.5);
    const colour =
      around === 'difference' ? theme.title : (theme.categories[i % 2 === 0 ? 0 : 5] ?? theme.text);
    shapes.push(label(theme, row.label, 0, y, { fill: theme.text, size: axis + 1, maxWidth: left - 8 }));
    if (row.low !== null && row.high !== null) {
      shapes.push(line(x(row.low), y, x(row.high), y, colour, 1.5));
      for (const end of [row.low, row.high]) shapes.push(line(x(end), y - 4, x(end), y + 4, colour, 1.5));
    }
    if (row.value !== null) shapes.push(mark(x(row.value), y, i, colour, row));
  });
  return sceneOption(shapes, theme);
}

function mark(x: number, y: number, i: number, fill: string, row: IntervalRow): Shape {
  const percent = (v: number | null) => (v === null ? null : v * 100);
  const tip = tipText([
    row.label,
    `${formatNumber(percent(row.value), 0)} %`,
    formatInterval(percent(row.low), percent(row.high), 0),
  ]);
  return i % 2 === 0
    ? { type: 'circle', shape: { cx: x, cy: y, r: 4 }, style: { fill }, tip, z2: 4 }
    : { type: 'rect', shape: { x: x - 4, y: y - 4, width: 8, height: 8 }, style: { fill }, tip, z2: 4 };
}
