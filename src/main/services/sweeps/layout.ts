import type { HookGrid, PatchEffects } from '../../../shared/domain/index.ts';
import { GRID_AXES } from '../../engine/interp/sites.ts';

export type SiteAxis = Exclude<PatchEffects['axes'][number], 'pair' | 'draw'>;

/** Axes of one pair's block, in the order of its numbers. */
export function siteAxes(grid: HookGrid): SiteAxis[] {
  return GRID_AXES[grid.axes].map((axis) =>
    axis === 'layer' && grid.window !== undefined ? 'window' : axis,
  );
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** The smallest shape that holds every block: prompts of a set may differ in length. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] {
  const first = shapes[0] ?? [];
  return first.map((_, axis) => Math.max(...shapes.map((shape) => shape[axis] ?? 0)));
}

/**
 * For every cell of `outer` (row-major) its index in a block of shape `inner`, or −1 where the block
 * has no such cell.
 */
export function cellMap(outer: readonly number[], inner: readonly number[]): Int32Array {
  return Int32Array.from({ length: size(outer) }, (_, flat) => {
    let rest = flat;
    let index = 0;
    let stride = 1;
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      const extent = outer[axis] ?? 1;
      const at = rest % extent;
      rest = (rest - at) / extent;
      const room = inner[axis] ?? 1;
      if (at >= room) return -1;
      index += at * stride;
      stride *= room;
    }
    return index;
  });
}
