import type { EffectGrid } from '../domain/index.ts';
import { visibleToken } from './format.ts';
import type { SitePoint } from './scene.ts';
import { words } from './words.ts';

/**
 * Column labels under the plot: tokens without their leading space, or head numbers; nothing where the pairs
 * have different tokens at a position (its label is then its index, which stands below anyway).
 */
export function columnName(grid: EffectGrid, column: number): string {
  const text = grid.columnLabels[column] ?? String(column);
  if (grid.axes !== 'layer_position') return text;
  return text === String(column) ? '' : visibleToken(text).replace(/^·/, '');
}

/** `Layer 8`, or `Layers 6–10` of a window: [l − ⌊w/2⌋, l + ⌈w/2⌉), clipped at the ends. */
export function layerName({ window, layers }: Pick<EffectGrid, 'window' | 'layers'>, layer: number): string {
  if (window === undefined) return `${words.layer} ${layer}`;
  const from = Math.max(0, layer - Math.floor(window / 2));
  return words.layersOf(from, Math.min(layers, layer + Math.ceil(window / 2)) - 1);
}

/** `Layer 8, “to” (END)` or `9.9`. */
export function siteName(grid: EffectGrid, { layer, column }: SitePoint, name?: string): string {
  const text = grid.columnLabels[column] ?? String(column);
  if (grid.axes === 'layer') return layerName(grid, layer);
  if (grid.axes === 'layer_span') return words.siteOf(layerName(grid, layer), text);
  if (grid.axes === 'layer_neuron') return words.neuronOf(layerName(grid, layer), text);
  if (grid.axes !== 'layer_position') {
    return grid.window === undefined
      ? words.headOf(layer, text)
      : words.headsOf(layerName(grid, layer), text);
  }
  const token = columnName(grid, column);
  const place = name ?? `${words.position.toLowerCase()} ${column}`;
  return words.siteOf(layerName(grid, layer), token === '' ? place : `“${token}” (${name ?? column})`);
}
