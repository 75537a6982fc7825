import type { EffectGrid } from '../../shared/domain/index.ts';
import {
  cellState,
  columnName,
  divergingStep,
  type FigureTheme,
  formatNumber,
  textWidth,
} from '../../shared/figures/index.ts';
import type { Extent, Viewport } from './viewport.ts';

/** A grid ready to be painted: one pixel a cell, the last layer on top, in the columns that are shown. */
export interface CellImage {
  readonly grid: EffectGrid;
  readonly columns: readonly number[];
  readonly theme: FigureTheme;
  readonly domain: number;
  readonly image: CanvasImageSource;
}

const channels = (hex: string): [number, number, number] => {
  const value = Number.parseInt(hex.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
};

/** Paints every cell once; moving and zooming then only copies the picture. */
export function cellImage(
  grid: EffectGrid,
  columns: readonly number[],
  theme: FigureTheme,
  domain: number,
): CellImage {
  const width = Math.max(1, columns.length);
  const height = Math.max(1, grid.layers);
  const pixels = new ImageData(width, height);
  const colours = new Map<string, [number, number, number]>();
  const rgb = (fill: string) => {
    const known = colours.get(fill) ?? channels(fill);
    colours.set(fill, known);
    return known;
  };
  for (let row = 0; row < grid.layers; row++) {
    columns.forEach((column, x) => {
      const [r, g, b] = rgb(fillOf(grid, (grid.layers - 1 - row) * grid.columns + column, theme, domain));
      pixels.data.set([r, g, b, 255], (row * width + x) * 4);
    });
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return { grid, columns, theme, domain, image: canvas };
}

function fillOf(grid: EffectGrid, index: number, theme: FigureTheme, domain: number): string {
  const state = cellState(grid, index);
  if (state === 'not-run' || state === 'missing') return theme.canvas;
  return divergingStep(theme, grid.recovery[index] ?? 0, domain).fill;
}

/** Cells from this size are told apart by lines and carry hatching. */
const LINED = 7;
/** As in the other figures: values from this size of cell, and from this effect. */
const PRINTED = { width: 30, height: 15 };
const PRINT_FROM = 0.05;

/** Paints what `view` shows of a grid into a plot whose top left corner is at (left, 0). */
export function paintCells(
  context: CanvasRenderingContext2D,
  cells: CellImage,
  view: Viewport,
  extent: Extent,
  left: number,
): void {
  const { theme } = cells;
  const width = Math.min(extent.width, (cells.columns.length - view.x) * view.cellWidth);
  const height = Math.min(extent.height, (cells.grid.layers - view.y) * view.cellHeight);
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  context.imageSmoothingEnabled = false;
  context.drawImage(
    cells.image,
    view.x,
    view.y,
    width / view.cellWidth,
    height / view.cellHeight,
    left,
    0,
    width,
    height,
  );
  const seen = visibleCells(cells, view, extent, left);
  if (Math.min(view.cellWidth, view.cellHeight) >= LINED) lines(context, seen, theme);
  hatch(context, seen, cells);
  dots(context, seen, cells);
  values(context, seen, cells);
  context.restore();
}

interface Seen {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  readonly w: number;
  readonly h: number;
  readonly left: (x: number) => number;
  readonly top: (y: number) => number;
  /** Of the cell in the x-th shown column and the y-th row from the top. */
  readonly index: (x: number, y: number) => number;
}

function visibleCells({ grid, columns }: CellImage, view: Viewport, extent: Extent, left: number): Seen {
  return {
    x0: Math.floor(view.x),
    x1: Math.min(columns.length, Math.ceil(view.x + extent.width / view.cellWidth)),
    y0: Math.floor(view.y),
    y1: Math.min(grid.layers, Math.ceil(view.y + extent.height / view.cellHeight)),
    w: view.cellWidth,
    h: view.cellHeight,
    left: (x) => left + (x - view.x) * view.cellWidth,
    top: (y) => (y - view.y) * view.cellHeight,
    index: (x, y) => (grid.layers - 1 - y) * grid.columns + (columns[x] ?? 0),
  };
}

function eachCell(seen: Seen, visit: (index: number, x: number, y: number) => void): void {
  for (let y = seen.y0; y < seen.y1; y++) {
    for (let x = seen.x0; x < seen.x1; x++) visit(seen.index(x, y), seen.left(x), seen.top(y));
  }
}

function lines(context: CanvasRenderingContext2D, seen: Seen, theme: FigureTheme): void {
  const [left, right] = [seen.left(seen.x0), seen.left(seen.x1)];
  const [top, bottom] = [seen.top(seen.y0), seen.top(seen.y1)];
  context.beginPath();
  for (let x = seen.x0; x <= seen.x1; x++) {
    context.moveTo(seen.left(x), top);
    context.lineTo(seen.left(x), bottom);
  }
  for (let y = seen.y0; y <= seen.y1; y++) {
    context.moveTo(left, seen.top(y));
    context.lineTo(right, seen.top(y));
  }
  context.strokeStyle = theme.canvas;
  context.lineWidth = 1;
  context.stroke();
}

/** One stroke through cells that are zero by construction or trivial, where there is room for it. */
function hatch(context: CanvasRenderingContext2D, seen: Seen, { grid, theme }: CellImage): void {
  if (Math.min(seen.w, seen.h) < LINED) return;
  for (const [state, stroke] of [
    ['zero', theme.hatch],
    ['trivial', theme.title],
  ] as const) {
    context.beginPath();
    eachCell(seen, (index, x, y) => {
      if (grid.state[index] !== state) return;
      context.moveTo(x + 1, y + seen.h - 1);
      context.lineTo(x + seen.w - 1, y + 1);
    });
    context.strokeStyle = stroke;
    context.lineWidth = 0.6;
    context.stroke();
  }
}

/** Detected sites: a dot, at least a pixel and a half however small the cell. */
function dots(context: CanvasRenderingContext2D, seen: Seen, { grid, theme, domain }: CellImage): void {
  const radius = Math.max(0.75, Math.min(2.2, Math.min(seen.w, seen.h) / 3));
  // Beside a printed value: in the corner.
  const corner = seen.w >= PRINTED.width && seen.h >= PRINTED.height;
  const dx = corner ? seen.w - 5.5 : seen.w / 2;
  const dy = corner ? 5.5 : seen.h / 2;
  const paths = new Map<string, Path2D>();
  eachCell(seen, (index, x, y) => {
    if (grid.detected[index] !== true) return;
    const { ink } = divergingStep(theme, grid.recovery[index] ?? 0, domain);
    const path = paths.get(ink) ?? new Path2D();
    paths.set(ink, path);
    path.rect(x + dx - radius, y + dy - radius, radius * 2, radius * 2);
  });
  for (const [ink, path] of paths) {
    context.fillStyle = ink;
    context.fill(path);
  }
}

function values(context: CanvasRenderingContext2D, seen: Seen, cells: CellImage): void {
  if (seen.w < PRINTED.width || seen.h < PRINTED.height) return;
  const { grid, theme, domain } = cells;
  context.font = `500 ${theme.sizes.axis}px ${theme.font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  eachCell(seen, (index, x, y) => {
    const value = grid.recovery[index];
    if (typeof value !== 'number' || Math.abs(value) < PRINT_FROM) return;
    context.fillStyle = divergingStep(theme, value, domain).ink;
    context.fillText(formatNumber(value), x + seen.w / 2, y + seen.h / 2);
  });
}

/** Layers to the left of the plot and columns under it, as many as fit side by side. */
export function paintLabels(
  context: CanvasRenderingContext2D,
  cells: CellImage,
  view: Viewport,
  extent: Extent,
  left: number,
): void {
  const { grid, columns, theme } = cells;
  const seen = visibleCells(cells, view, extent, left);
  const size = theme.sizes.axis;
  context.font = `400 ${size}px ${theme.font}`;
  context.fillStyle = theme.muted;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  const step = Math.max(1, Math.ceil((size + 3) / seen.h));
  for (let y = seen.y0; y < seen.y1; y++) {
    const middle = seen.top(y) + seen.h / 2;
    const layer = grid.layers - 1 - y;
    if (layer % step === 0 && middle > 4 && middle < extent.height)
      context.fillText(String(layer), left - 6, middle);
  }
  context.textAlign = 'center';
  const line = extent.height + size;
  let free = left - 1;
  for (let x = seen.x0; x < seen.x1; x++) {
    const column = columns[x] ?? 0;
    const middle = seen.left(x) + seen.w / 2;
    const text = columnName(grid, column) || String(column);
    const half = textWidth(text, size) / 2;
    if (middle - half < free || middle + half > left + extent.width) continue;
    context.fillText(text, middle, line);
    free = middle + half + 8;
  }
}
