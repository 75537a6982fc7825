import { Mt19937 } from '../random/index.ts';
import { sum } from './descriptive.ts';

export interface SignFlipOptions {
  /** How many sites of the grid are tested together (Holm's first step divides the level by it); default 1. */
  readonly tests?: number;
  /** Default 0.05. */
  readonly level?: number;
  readonly seed: number;
  /** Up to this many clusters every sign pattern is counted; default 16. */
  readonly exactUpTo?: number;
  /** Random patterns above that; default 10,000, or as many as the correction for `tests` needs. */
  readonly draws?: number;
}

export interface SignFlipResult {
  /** Two-sided; null where the test is refused (see `caveat`). */
  readonly p: number | null;
  /** Clusters. */
  readonly n: number;
  /** Smallest p this many clusters can give. */
  readonly smallest: number;
  readonly exact: boolean;
  /** Why there is no p; null where there is one. */
  readonly caveat: string | null;
}

/** Clusters from which a sign-flip test can pass `level` after correcting for `tests` sites. */
export function clustersNeeded(tests: number, level = 0.05): number {
  return Math.max(2, Math.ceil(1 + Math.log2(tests / level) - 1e-12));
}

/** Why a sign-flip test over `n` clusters is refused for `tests` sites, or null where it is allowed. */
function signFlipRefusal(n: number, tests: number, level = 0.05): string | null {
  if (n < 2) return `With ${n === 1 ? 'one cluster of pairs' : 'no pairs'} there is no p.`;
  const needed = clustersNeeded(tests, level);
  if (n >= needed) return null;
  const sites = tests === 1 ? 'one site' : `${tests} sites`;
  return (
    `A sign-flip test over ${n} clusters cannot go below p = ${(2 ** (1 - n)).toPrecision(2)}; ` +
    `correcting for ${sites} needs ${(level / tests).toPrecision(2)}. ${needed} clusters would allow it.`
  );
}

/**
 * Two-sided sign-flip permutation test that the mean over clusters is zero (each value is a cluster's mean
 * effect, symmetric under the null). Exact: the share of all 2ⁿ sign patterns whose |sum| reaches the
 * observed one. Above `exactUpTo` clusters: (b + 1) / (draws + 1) over seeded random patterns. Refused, with
 * the reason, where even the smallest possible p = 2^(1−n) could not pass the correction.
 */
export function signFlipTest(values: readonly number[], options: SignFlipOptions): SignFlipResult {
  const { tests = 1, level = 0.05, seed, exactUpTo = 16 } = options;
  const draws = options.draws ?? Math.max(10_000, Math.ceil(tests / level));
  const n = values.length;
  const exact = n <= exactUpTo;
  const smallest = n < 2 ? 1 : exact ? 2 ** (1 - n) : Math.max(2 ** (1 - n), 1 / (draws + 1));
  const caveat = signFlipRefusal(n, tests, level);
  const p = caveat !== null ? null : exact ? exactP(values) : drawnP(values, draws, seed);
  return { p, n, smallest, exact, caveat };
}

/** Sums that differ only by rounding count as equal. */
function threshold(values: readonly number[]): number {
  return Math.abs(sum(values)) - 1e-12 * sum(values.map(Math.abs));
}

/** All patterns in Gray-code order, one sign changed at a time; the first sign stays by symmetry. */
function exactP(values: readonly number[]): number {
  const limit = threshold(values);
  const signs = new Int8Array(values.length).fill(1);
  const patterns = 2 ** (values.length - 1);
  let total = sum(values);
  let reached = Math.abs(total) >= limit ? 1 : 0;
  for (let pattern = 1; pattern < patterns; pattern++) {
    const flipped = 32 - Math.clz32(pattern & -pattern);
    const sign = -(signs[flipped] ?? 1);
    signs[flipped] = sign;
    total += 2 * sign * (values[flipped] ?? 0);
    if (Math.abs(total) >= limit) reached++;
  }
  return reached / patterns;
}

function drawnP(values: readonly number[], draws: number, seed: number): number {
  const limit = threshold(values);
  const random = new Mt19937(seed);
  let reached = 0;
  for (let draw = 0; draw < draws; draw++) {
    let total = 0;
    let bits = 0;
    for (let i = 0; i < values.length; i++) {
      if (i % 32 === 0) bits = random.uint32();
      total += bits & 1 ? (values[i] ?? 0) : -(values[i] ?? 0);
      bits >>>= 1;
    }
    if (Math.abs(total) >= limit) reached++;
  }
  return (reached + 1) / (draws + 1);
}
