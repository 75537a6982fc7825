import { invariant } from '../../../shared/errors/index.ts';
import { Mt19937 } from '../random/index.ts';
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
  /** Where p comes from: the chi-square tail, or random orders within each block. */
  readonly method: 'chi-square' | 'permutation';
}

export interface FriedmanOptions {
  /** Of the random orders. */
  readonly seed: number;
  /** Below this many blocks p is counted over random orders: the chi-square tail is an approximation. */
  readonly permuteBelow?: number;
  /** Default 10,000. */
  readonly permutations?: number;
}

/**
 * Friedman's test that `k` treatments (layers) do not differ, blocked by cluster of pairs: `blocks[b][t]` is
 * the effect of treatment t in block b. With options and few blocks p = (b + 1) / (B + 1) over seeded orders within
 * each block. Null below 2 blocks or 3 treatments, or where every block is tied; `friedmanRefusal` says why.
 */
export function friedman(
  blocks: readonly (readonly number[])[],
  options?: FriedmanOptions,
): FriedmanResult | null {
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
  const squares = squaredSums(ranked);
  const statistic = ((12 / (n * k * (k + 1))) * squares - 3 * n * (k + 1)) / correction;
  const permuted = options !== undefined && n < (options.permuteBelow ?? 10);
  return {
    statistic,
    degrees: k - 1,
    p: permuted ? permutedP(ranked, squares, options) : chiSquareTail(statistic, k - 1),
    w: statistic / (n * (k - 1)),
    blocks: n,
    method: permuted ? 'permutation' : 'chi-square',
  };
}

/** Σ over treatments of (Σ over blocks of the rank)²: the statistic grows with it. */
function squaredSums(ranked: readonly (readonly number[])[]): number {
  const k = ranked[0]?.length ?? 0;
  let squares = 0;
  for (let t = 0; t < k; t++) squares += ranked.reduce((total, row) => total + (row[t] ?? 0), 0) ** 2;
  return squares;
}

/** Share of random orders within blocks that agree at least as much. */
function permutedP(
  ranked: readonly (readonly number[])[],
  squares: number,
  { seed, permutations = 10_000 }: FriedmanOptions,
): number {
  const random = new Mt19937(seed);
  let reached = 0;
  for (let draw = 0; draw < permutations; draw++) {
    const shuffled = ranked.map((row) =>
      Array.from(random.permutation(row.length), (from) => row[from] ?? Number.NaN),
    );
    if (squaredSums(shuffled) >= squares * (1 - 1e-12)) reached++;
  }
  return (reached + 1) / (permutations + 1);
}

/** Σ (t³ − t) over groups of t equal values. */
function tieTerm(values: readonly number[]): number {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].reduce((total, t) => total + t ** 3 - t, 0);
}
