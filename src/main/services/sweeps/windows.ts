import type { WindowStudy } from '../../../shared/contracts/index.ts';
import { gridOf, type SweepGrid } from '../../../shared/domain/index.ts';

/**
 * A window grid beside the sums of single-layer effects over the same windows (Zhang & Nanda 2024, section 5):
 * per column the peak of the windows, the peak of the sums, and their ratio. Layers whose single effect is missing
 * count as 0 where it is a structural zero, else leave the sum undefined; a ratio needs a positive peak of sums.
 */
export function windowStudy(wide: SweepGrid, single: SweepGrid): WindowStudy {
  const { layers, columns, window = 1 } = wide;
  const at = (grid: SweepGrid, layer: number, column: number): number | null => {
    const i = layer * columns + column;
    return grid.state[i] === 'zero' ? 0 : (grid.recovery[i] ?? null);
  };
  const sums = Array.from({ length: layers * columns }, (_, i) => {
    const [layer, column] = [Math.floor(i / columns), i % columns];
    const from = Math.max(0, layer - Math.floor(window / 2));
    const to = Math.min(layers, layer + Math.ceil(window / 2));
    const values = Array.from({ length: to - from }, (_value, k) => at(single, from + k, column));
    return values.some((v) => v === null) ? null : values.reduce<number>((sum, v) => sum + (v ?? 0), 0);
  });
  const peaks = Array.from({ length: columns }, (_, column) => {
    const own = Array.from({ length: layers }, (_value, layer) => layer);
    const peakWindow = peak(own.map((layer) => at(wide, layer, column)));
    const peakSum = peak(own.map((layer) => sums[layer * columns + column] ?? null));
    return {
      column,
      label: wide.columnLabels[column] ?? String(column),
      peakWindow,
      peakSum,
      ratio: peakWindow === null || peakSum === null || !(peakSum > 0) ? null : peakWindow / peakSum,
    };
  });
  return { ...gridOf(wide), metric: wide.metric, window, layers, columns, sums, peaks };
}

function peak(values: readonly (number | null)[]): number | null {
  const present = values.filter((v) => v !== null);
  return present.length === 0 ? null : Math.max(...present);
}
