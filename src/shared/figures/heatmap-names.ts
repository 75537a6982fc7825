import type { SweepGrid } from '../domain/index.ts';
import { visibleToken } from './format.ts';
import type { SitePoint } from './scene.ts';
import { words } from './words.ts';

/**
 * Column labels under the plot: tokens without their leading space, or head numbers; nothing where the pairs
 * have different tokens at a position (its label is then its index, which stands below anyway).
 */
export function columnName(grid: SweepGrid, column: number): string {
  const text = grid.columnLabels[column] ?? String(column);
  if (grid.axes !== 'layer_position') return text;
  return text === String(column) ? '' : visibleToken(text).replace(/^·/, '');
}

/** `Layer 8, “to” (END)` or `9.9`. */
export function siteName(grid: SweepGrid, { layer, column }: SitePoint, name?: string): string {
  const text = grid.columnLabels[column] ?? String(column);
  if (grid.axes === 'layer') return `${words.layer} ${layer}`;
  if (grid.axes !== 'layer_position') return words.headOf(layer, text);
  const token = columnName(grid, column);
  const place = name ?? `${words.position.toLowerCase()} ${column}`;
  return words.siteOf(layer, token === '' ? place : `“${token}” (${name ?? column})`);
}
