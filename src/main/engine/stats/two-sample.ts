import { Mt19937 } from '../random/index.ts';
import { quantile } from './descriptive.ts';

interface TwoSampleInterval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

interface TwoSampleOptions {
  readonly resamples: number;
  readonly seed: number;
}

/** Fewest clusters of a group. */
export const FEWEST_OF_GROUP = 3;

/**
 * x − y of one statistic in two groups of clusters, with its 95 % percentile interval: each group's clusters are
 * drawn with replacement within the group. `statistic` takes how often each cluster counts (0 outside its group).
 * Null where a group has fewer than 3 clusters or the statistic no value.
 */
export function groupDifference(
  groups: readonly boolean[],
  statistic: (weights: Float64Array) => number | null,
  { resamples, seed }: TwoSampleOptions,
): TwoSampleInterval | null {
  const members = [true, false].map((group) => groups.flatMap((g, i) => (g === group ? [i] : [])));
  if (members.some((own) => own.length < FEWEST_OF_GROUP)) return null;
  const difference = (weigh: (weights: Float64Array, own: readonly number[]) => void): number | null => {
    const [x, y] = members.map((own) => {
      const weights = new Float64Array(groups.length);
      weigh(weights, own);
      return statistic(weights);
    });
    return x == null || y == null ? null : x - y;
  };
  const value = difference((weights, own) => own.forEach((i) => (weights[i] = 1)));
  if (value === null) return null;
  const random = new Mt19937(seed);
  const replicates: number[] = [];
  for (let r = 0; r < resamples; r++) {
    const drawn = difference((weights, own) => {
      for (let k = 0; k < own.length; k++) {
        const i = own[random.interval(own.length - 1)] ?? 0;
        weights[i] = (weights[i] ?? 0) + 1;
      }
    });
    if (drawn !== null) replicates.push(drawn);
  }
  if (replicates.length === 0) return null;
  const sorted = Float64Array.from(replicates).sort();
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

/** Relabelings of n clusters with k in one group: the smallest p of a permutation test is one over it. */
export function relabelings(n: number, k: number): number {
  let count = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) count = (count * (n - i + 1)) / i;
  return Math.round(count);
}
