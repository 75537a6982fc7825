import { Mt19937 } from '../random/index.ts';

export interface PermutationOptions {
  /** Random relabelings, and the most that are counted exhaustively; default 10,000. */
  readonly permutations?: number;
  readonly seed: number;
}

export interface PermutationResult {
  readonly observed: number;
  /** Two-sided. */
  readonly p: number;
  readonly exact: boolean;
  /** Relabelings for which the statistic has a value. */
  readonly permutations: number;
}

/**
 * Two-sided permutation test of two groups of clusters (question types on equal grids): `statistic` is a
 * signed difference between the group `true` and the group `false`, and labels move between whole clusters.
 * Exact where all relabelings are few, else (b + 1) / (B + 1) over seeded ones. Null where the statistic
 * has no value or one group is empty.
 */
export function permutationTest(
  labels: readonly boolean[],
  statistic: (labels: readonly boolean[]) => number | null,
  { permutations = 10_000, seed }: PermutationOptions,
): PermutationResult | null {
  const observed = statistic(labels);
  const inGroup = labels.filter(Boolean).length;
  if (observed === null || inGroup === 0 || inGroup === labels.length) return null;
  const exact = binomial(labels.length, inGroup) <= permutations;
  const limit = Math.abs(observed) * (1 - 1e-12);
  let reached = 0;
  let total = 0;
  const count = (relabeled: readonly boolean[]) => {
    const value = statistic(relabeled);
    if (value === null) return;
    total++;
    if (Math.abs(value) >= limit) reached++;
  };
  if (exact) eachChoice(labels.length, inGroup, count);
  else {
    const random = new Mt19937(seed);
    for (let i = 0; i < permutations; i++) {
      count(Array.from(random.permutation(labels.length), (from) => labels[from] === true));
    }
  }
  return { observed, exact, permutations: total, p: exact ? reached / total : (reached + 1) / (total + 1) };
}

function binomial(n: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) value = (value * (n - i + 1)) / i;
  return Math.round(value);
}

/** Calls `visit` with every labeling of `n` clusters that puts `k` into the group. */
function eachChoice(n: number, k: number, visit: (labels: readonly boolean[]) => void): void {
  const labels = new Array<boolean>(n).fill(false);
  const place = (from: number, left: number): void => {
    if (left === 0) {
      visit(labels);
      return;
    }
    for (let i = from; i <= n - left; i++) {
      labels[i] = true;
      place(i + 1, left - 1);
      labels[i] = false;
    }
  };
  place(0, k);
}
