import { describe, expect, test } from 'vitest';
import {
  cellAt,
  fitted,
  panned,
  revealed,
  zoomed,
  type Extent,
} from '../../../src/renderer/figures/viewport.ts';

const extent: Extent = { columns: 1_000, rows: 96, width: 800, height: 480 };

describe('what is seen of a large heatmap', () => {
  test('is all of it where cells stay large enough', () => {
    const view = fitted({ columns: 100, rows: 48, width: 800, height: 480 });
    expect(view).toEqual({ x: 0, y: 0, cellWidth: 8, cellHeight: 10 });
  });

  test('begins with the first columns and layer 0 where not all fits', () => {
    expect(fitted(extent)).toEqual({ x: 0, y: 0, cellWidth: 2, cellHeight: 5 });
    expect(fitted({ ...extent, rows: 480 })).toEqual({ x: 0, y: 240, cellWidth: 2, cellHeight: 2 });
  });

  test('moves with the pointer and stops at the edges', () => {
    const view = fitted(extent);
    expect(panned(view, 100, 0, extent).x).toBe(50);
    expect(panned(view, -100, -50, extent)).toEqual(view);
    expect(panned(view, 1e6, 1e6, extent)).toMatchObject({ x: 600, y: 0 });
  });

  test('grows and shrinks about the place pointed at', () => {
    const before = panned(fitted(extent), 200, 0, extent);
    const after = zoomed(before, 2, 400, 240, extent);
    expect(after).toMatchObject({ cellWidth: 4, cellHeight: 10 });
    expect(cellAt(after, 400, 240, extent)).toEqual(cellAt(before, 400, 240, extent));
    expect(zoomed(after, 0.01, 0, 0, extent)).toMatchObject({ cellWidth: 2, cellHeight: 5 });
    expect(zoomed(after, 1e3, 0, 0, extent)).toMatchObject({ cellWidth: 40, cellHeight: 40 });
  });

  test('follows a site by the least move', () => {
    const view = fitted(extent);
    expect(revealed(view, 399, 0, extent)).toEqual(view);
    expect(revealed(view, 400, 0, extent).x).toBe(1);
    expect(revealed({ ...view, x: 500 }, 300, 0, extent).x).toBe(300);
  });

  test('has the cell under the pointer, and none beside the grid', () => {
    const view = panned(fitted(extent), 100, 0, extent);
    expect(cellAt(view, 0, 0, extent)).toEqual({ column: 50, row: 0 });
    expect(cellAt(view, 799, 479, extent)).toEqual({ column: 449, row: 95 });
    expect(cellAt(view, -1, 10, extent)).toBeNull();
    expect(cellAt(view, 10, 480, extent)).toBeNull();
  });
});
