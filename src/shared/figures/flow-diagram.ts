import type { EChartsOption } from 'echarts';
import type { FlowCount } from '../domain/index.ts';
import { formatCount } from './format.ts';
import { label, line, sceneOption, type Shape, type Size } from './scene.ts';
import type { FigureTheme } from './theme.ts';
import { words } from './words.ts';

interface Box {
  readonly title: string;
  readonly lines: readonly string[];
}

const { flow: w } = words;
const count = (text: string, n: number): string => `${text} (${w.n(formatCount(n))})`;

/** Boxes of the flow: the main column downwards, and what leaves at each step. */
export function flowBoxes(flow: FlowCount): { main: Box[]; aside: (Box | null)[] } {
  const open = [
    ...(flow.maybe > 0 ? [count(w.maybe, flow.maybe)] : []),
    ...(flow.undecided > 0 ? [count(w.undecided, flow.undecided)] : []),
  ];
  return {
    main: [
      { title: w.read, lines: [w.n(formatCount(flow.read))] },
      { title: w.screened, lines: [w.n(formatCount(flow.screened))] },
      { title: w.included, lines: [w.n(formatCount(flow.included)), ...open] },
    ],
    aside: [
      {
        title: count(w.duplicates, flow.duplicates),
        lines: flow.rejected > 0 ? [count(w.rejected, flow.rejected)] : [],
      },
      {
        title: count(w.excluded, flow.excluded),
        lines: flow.excludedByReason.map((r) => count(r.reason, r.count)),
      },
      null,
    ],
  };
}

/** PRISMA-like flow of records: read, duplicates, screened, excluded by reason, included. */
export function flowDiagram(flow: FlowCount, theme: FigureTheme, size: Size): EChartsOption {
  const { main, aside } = flowBoxes(flow);
  const lineHeight = theme.sizes.axis * 1.45;
  const column = Math.min(220, size.width * 0.4);
  const right = Math.min(size.width - 8, 8 + column + 40 + column * 1.25);
  const heights = main.map((box, i) => {
    const beside = aside[i];
    const lines = Math.max(box.lines.length + 1, beside ? beside.lines.length + 1 : 0);
    return lines * lineHeight + 14;
  });
  const room = size.height - 8 - heights.reduce((a, b) => a + b, 0);
  const gap = Math.max(12, Math.min(34, room / Math.max(1, main.length - 1)));
  const shapes: Shape[] = [];
  let y = 4;
  main.forEach((box, i) => {
    const height = heights[i] ?? 0;
    const mine = (box.lines.length + 1) * lineHeight + 14;
    shapes.push(...drawBox(box, 4, y, column, mine, theme));
    const beside = aside[i];
    if (beside) {
      const x = 8 + column + 36;
      shapes.push(...drawBox(beside, x, y, right - x, (beside.lines.length + 1) * lineHeight + 14, theme));
      shapes.push(line(4 + column, y + 14, x, y + 14, theme.edge), ...head(x, y + 14, 'right', theme));
    }
    if (i < main.length - 1) {
      const cx = 4 + column / 2;
      shapes.push(
        line(cx, y + mine, cx, y + height + gap, theme.edge),
        ...head(cx, y + height + gap, 'down', theme),
      );
    }
    y += height + gap;
  });
  return sceneOption(shapes, theme);
}

function drawBox(box: Box, x: number, y: number, width: number, height: number, theme: FigureTheme): Shape[] {
  const lineHeight = theme.sizes.axis * 1.45;
  const text = (content: string, row: number, weight: number) =>
    label(theme, content, x + 9, y + 7 + lineHeight * (row + 0.5), {
      weight,
      fill: row === 0 ? theme.title : theme.text,
      maxWidth: width - 16,
    });
  return [
    {
      type: 'rect',
      shape: { x, y, width, height, r: 3 },
      style: { fill: theme.canvas, stroke: theme.border, lineWidth: 1 },
      z2: 1,
    },
    text(box.title, 0, 600),
    ...box.lines.map((content, i) => text(content, i + 1, 400)),
  ];
}

function head(x: number, y: number, to: 'right' | 'down', theme: FigureTheme): Shape[] {
  const points =
    to === 'right'
      ? [
          [x - 6, y - 3.5],
          [x, y],
          [x - 6, y + 3.5],
        ]
      : [
          [x - 3.5, y - 6],
          [x, y],
          [x + 3.5, y - 6],
        ];
  return [{ type: 'polygon', shape: { points }, style: { fill: theme.edge }, z2: 3 }];
}
