/** Which part of a large grid is on screen, in cells; fractions while it is being moved. */
export interface Viewport {
  /** First column and first row from the top that are shown. */
  readonly x: number;
  readonly y: number;
  /** Pixels of one cell. */
  readonly cellWidth: number;
  readonly cellHeight: number;
}

/** Size of the grid in cells and of the plot in pixels. */
export interface Extent {
  readonly columns: number;
  readonly rows: number;
  readonly width: number;
  readonly height: number;
}

/** No cell is drawn smaller: each stays a thing one can see and point at. */
const SMALLEST = 2;
const LARGEST = 40;

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));

/** Whole cells of at least the smallest size: the whole grid where it fits, its beginning where it does not. */
export function fitted(extent: Extent): Viewport {
  return {
    x: 0,
    y: Math.max(0, extent.rows - extent.height / smallest(extent).cellHeight),
    ...smallest(extent),
  };
}

function smallest({ columns, rows, width, height }: Extent): Pick<Viewport, 'cellWidth' | 'cellHeight'> {
  return {
    cellWidth: clamp(width / Math.max(1, columns), SMALLEST, LARGEST),
    cellHeight: clamp(height / Math.max(1, rows), SMALLEST, LARGEST),
  };
}

/** The same view, moved back where it would leave the grid. */
export function within(view: Viewport, extent: Extent): Viewport {
  const { cellWidth, cellHeight } = smallest(extent);
  const width = clamp(view.cellWidth, cellWidth, Math.max(LARGEST, cellWidth));
  const height = clamp(view.cellHeight, cellHeight, Math.max(LARGEST, cellHeight));
  return {
    x: clamp(view.x, 0, Math.max(0, extent.columns - extent.width / width)),
    y: clamp(view.y, 0, Math.max(0, extent.rows - extent.height / height)),
    cellWidth: width,
    cellHeight: height,
  };
}

/** Moved by pixels: to the right and downwards are positive. */
export function panned(view: Viewport, dx: number, dy: number, extent: Extent): Viewport {
  return within({ ...view, x: view.x + dx / view.cellWidth, y: view.y + dy / view.cellHeight }, extent);
}

/** Cells `factor` times as large; what lies at (px, py) in the plot stays there. */
export function zoomed(view: Viewport, factor: number, px: number, py: number, extent: Extent): Viewport {
  const sized = within(
    { ...view, cellWidth: view.cellWidth * factor, cellHeight: view.cellHeight * factor },
    extent,
  );
  const column = view.x + px / view.cellWidth;
  const row = view.y + py / view.cellHeight;
  return within({ ...sized, x: column - px / sized.cellWidth, y: row - py / sized.cellHeight }, extent);
}

/** The least move that shows a cell whole. */
export function revealed(view: Viewport, column: number, row: number, extent: Extent): Viewport {
  const across = extent.width / view.cellWidth;
  const down = extent.height / view.cellHeight;
  return within(
    {
      ...view,
      x: clamp(view.x, column + 1 - across, column),
      y: clamp(view.y, row + 1 - down, row),
    },
    extent,
  );
}

/** The cell at (px, py) in the plot; null beside the grid. */
export function cellAt(
  view: Viewport,
  px: number,
  py: number,
  extent: Extent,
): { column: number; row: number } | null {
  const inside = px >= 0 && py >= 0 && px < extent.width && py < extent.height;
  const column = Math.floor(view.x + px / view.cellWidth);
  const row = Math.floor(view.y + py / view.cellHeight);
  return inside && column < extent.columns && row < extent.rows ? { column, row } : null;
}
