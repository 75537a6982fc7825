import type { EChartsOption } from 'echarts';
import type { AttentionView } from '../domain/index.ts';
import { formatNumber, visibleToken } from './format.ts';
import { label, sceneOption, type Shape, type Size, textWidth, tipText } from './scene.ts';
import { sequentialStep, type FigureTheme } from './theme.ts';
import { words } from './words.ts';

/** Cells narrower than this carry no token names. */
const NAMED = 9;
/** Share of the figure that names may take. */
const MARGIN = 0.3;

/**
 * How much each query (row) takes from each key (column): the sequential scale from 0 to 1. Keys after their query
 * do not exist and stay empty. `query` frames one row.
 */
export function attentionPattern(
  { tokens, weights }: Pick<AttentionView, 'tokens' | 'weights'>,
  theme: FigureTheme,
  size: Size,
  query?: number,
): EChartsOption {
  const n = tokens.length;
  const names = tokens.map(visibleToken);
  const { axis } = theme.sizes;
  const named = (size.width * (1 - MARGIN)) / n >= NAMED;
  const longest = Math.max(0, ...names.map((name) => textWidth(name, axis)));
  const margin = named ? Math.min(longest + 6, size.width * MARGIN) : axis * 1.6;
  const side = Math.max(1, Math.min(size.width - margin - 2, size.height - margin - 2));
  const cell = side / n;
  const at = (i: number): number => margin + i * cell;
  const shapes: Shape[] = [];
  for (let q = 0; q < n; q++) {
    for (let k = 0; k <= q; k++) {
      const weight = weights[q * n + k] ?? 0;
      shapes.push({
        type: 'rect',
        shape: { x: at(k), y: at(q), width: Math.max(0.5, cell - 0.5), height: Math.max(0.5, cell - 0.5) },
        style: { fill: sequentialStep(theme, weight).fill },
        hover: { fill: sequentialStep(theme, weight).fill, stroke: theme.title, lineWidth: 1.5 },
        tip: tipText([words.attends(names[q] ?? '', q, names[k] ?? '', k), formatNumber(weight, 3)]),
      });
    }
  }
  if (query !== undefined && query >= 0 && query < n) {
    shapes.push({
      type: 'rect',
      shape: { x: at(0) - 1, y: at(query) - 1, width: (query + 1) * cell + 1, height: cell + 1 },
      style: { fill: 'none', stroke: theme.accent, lineWidth: 1.5 },
      z2: 4,
    });
  }
  if (named) {
    names.forEach((name, i) => {
      const middle = at(i) + cell / 2;
      const fill = i === query ? theme.title : theme.muted;
      shapes.push(label(theme, name, margin - 5, middle, { align: 'right', fill, maxWidth: margin - 6 }));
      shapes.push(
        label(theme, name, middle, margin - 5, {
          align: 'left',
          rotation: Math.PI / 2,
          fill,
          maxWidth: margin - 6,
        }),
      );
    });
  } else {
    shapes.push(label(theme, words.key, at(0) + side / 2, margin / 2, { align: 'center' }));
    shapes.push(
      label(theme, words.query, margin / 2, at(0) + side / 2, { align: 'center', rotation: Math.PI / 2 }),
    );
    shapes.push(label(theme, `${n} ${words.tokens}`, at(n), margin / 2, { align: 'right' }));
  }
  return sceneOption(shapes, theme);
}
