import { invariant } from '../../../shared/errors/index.ts';
import { ranks } from './correlation.ts';
import { chiSquareTail } from './special.ts';

export interface FriedmanResult {
  /** Chi-square with k − 1 degrees of freedom, corrected for ties. */
  readonly statistic: number;
  readonly degrees: number;
  readonly p: number;
  /** Kendall's W: agreement of the blocks on the order of the treatments, 0 … 1. */
  readonly w: number;
  readonly blocks: number;
}

/**
 * Friedman's test that `k` treatments (layers) do not differ, blocked by cluster of pairs: `blocks[b][t]` is
 * the effect of treatment t in block b. Null below 2 blocks or 3 treatments, or where every block is tied.
 */
export function friedman(blocks: readonly (readonly number[])[]): FriedmanResult | null {
  const n = blocks.length;
  const k = blocks[0]?.length ?? 0;
  invariant(
    blocks.every((block) => block.length === k),
    'blocks of a Friedman test differ in length',
  );
  if (n < 2 || k < 3) return null;
  const ranked = blocks.map(ranks);
  const ties = blocks.reduce((total, block) => total + tieTerm(block), 0);
  const correction = 1 - ties / (n * k * (k * k - 1));
  if (!(correction > 0)) return null;
  let squares = 0;
  for (let t = 0; t < k; t++) squares += ranked.reduce((total, row) => total + (row[t] ?? 0), 0) ** 2;
  const statistic = ((12 / (n * k * (k + 1))) * squares - 3 * n * (k + 1)) / correction;
  return {
    statistic,
    degrees: k - 1,
    p: chiSquareTail(statistic, k - 1),
    w: statistic / (n * (k - 1)),
    blocks: n,
  };
}

/** Σ (t³ − t) over groups of t equal values. */
function tieTerm(values: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].reduce((total, t) => total + t ** 3 - t, 0);
}
