import * as b from '../graph/builder.ts';
import type { Dim, Graph, Tensor } from '../graph/index.ts';

const SCORES = /\.hook_attn_scores$/;
const HIDDEN = -1e30;

export const KEY_MASK = 'keys';

/**
 * Hides keys from attention, as transformers' attention mask does: an input `keys` [B, 1, 1, T] is added to the
 * attention scores of every layer. Returns what the decoder is to call at its hook points.
 */
export function keyMask(
  g: Graph,
  batch: Dim,
  length: Dim,
  input: Graph['input'] = (...of) => g.input(...of),
): (name: string, value: Tensor) => Tensor {
  const keys = input(KEY_MASK, 'float32', [batch, 1, 1, length]);
  return (name, value) => (SCORES.test(name) ? b.add(g, value, keys) : value);
}

/** Values of the mask for rows with that many keys to be seen, [rows · width]: 0, or a large negative number. */
export function keyMaskValues(lengths: ArrayLike<number>, width: number): Float32Array {
  const values = new Float32Array(lengths.length * width);
  for (let row = 0; row < lengths.length; row++) {
    values.fill(HIDDEN, row * width + Math.min(width, lengths[row] ?? 0), (row + 1) * width);
  }
  return values;
}
