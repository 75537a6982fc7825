import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/**
 * The numbers of a dropout mask: a 32-bit counter times `step`, plus what the mask depends on, mixed by the finaliser
 * of MurmurHash3. Each mixed value gives two elements, its upper and its lower half.
 */
export const MASK_HASH = { step: 0x9e3779b1, first: 0x85ebca6b, second: 0xc2b2ae35, range: 2 ** 16 } as const;

/** What half of a mixed value must reach for an element to be kept, for a probability of dropping it. */
export const dropLimit = (p: number): number => Math.round(p * MASK_HASH.range);

const LOW_32 = 2 ** 32 - 1;
/** A factor with the same lower 32 bits as `n` and so small that products with 32-bit values stay within 64 bits. */
const signed = (n: number): number => n | 0;

/**
 * The mask of `dropoutMask`, bit for bit, computed by the graph: true keeps. `state`, int64 [], is the mask's
 * `maskState`. In whole numbers of 64 bits held to their lower 32: unsigned shifts are divisions then, and no op is
 * needed that a GPU's provider lacks.
 */
export function seededMask(g: Graph, state: Tensor, shape: readonly number[], p: number): Tensor {
  const size = shape.reduce((n, s) => n * s, 1);
  const pairs = Math.ceil(size / 2);
  const low = (x: Tensor): Tensor => g.op('BitwiseAnd', [x, g.int(LOW_32)]);
  const times = (x: Tensor, n: number): Tensor => low(b.mul(g, x, g.int(signed(n))));
  const folded = (x: Tensor, shift: number): Tensor =>
    g.op('BitwiseXor', [x, b.div(g, x, g.int(2 ** shift))]);
  const counter = g.op('Range', [g.int(0), g.int(pairs), g.int(1)], {}, [pairs]); // [pairs]
  const begun = low(b.add(g, times(counter, Math.imul(2, MASK_HASH.step)), state));
  const once = times(folded(begun, 16), MASK_HASH.first);
  const mixed = folded(times(folded(once, 13), MASK_HASH.second), 16);
  const limit = g.int(dropLimit(p));
  const halves = [
    b.div(g, mixed, g.int(MASK_HASH.range)),
    g.op('BitwiseAnd', [mixed, g.int(MASK_HASH.range - 1)]),
  ];
  const kept = halves.map((half) => b.unsqueeze(g, b.lessOrEqual(g, limit, half), [1])); // [pairs, 1]
  const all = b.reshape(g, b.concat(g, kept, 1), [2 * pairs]);
  return b.reshape(g, size === 2 * pairs ? all : b.slice(g, all, 0, 0, size), shape);
}
