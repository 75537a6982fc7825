import type { Direction } from '../../../shared/domain/index.ts';
import { InvariantError } from '../../../shared/errors/index.ts';
import { baseline, type Measured } from './recovery.ts';

/**
 * A statistic over clusters of pairs (copies of one template, both directions of one item), as a function of
 * how often each cluster counts: 1 for all gives the estimate, resampled counts give a bootstrap replicate.
 * Null where it is undefined (no pairs, no gap).
 */
export interface ClusterStatistic {
  readonly clusters: number;
  readonly value: (weights: ArrayLike<number>) => number | null;
}

/** Indices of the pairs of each cluster, clusters in order of first appearance of their item. */
export function groupByItem(items: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  items.forEach((item, index) => {
    const group = groups.get(item);
    if (group === undefined) groups.set(item, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}

/** Mean over all pairs; `clusters[c]` are the values of cluster c. */
export function meanStatistic(clusters: readonly (readonly number[])[]): ClusterStatistic {
  const totals = Float64Array.from(clusters, (values) => values.reduce((a, b) => a + b, 0));
  const sizes = Float64Array.from(clusters, (values) => values.length);
  return {
    clusters: clusters.length,
    value: (weights) => {
      const n = dot(weights, sizes);
      return n > 0 ? dot(weights, totals) / n : null;
    },
  };
}

/** b − a over the same clusters: both see the same weights, so its bootstrap is a paired one. */
export function differenceStatistic(a: ClusterStatistic, b: ClusterStatistic): ClusterStatistic {
  if (a.clusters !== b.clusters) {
    throw new InvariantError(
      `A paired difference needs the same clusters, not ${a.clusters} and ${b.clusters}.`,
    );
  }
  return {
    clusters: a.clusters,
    value: (weights) => {
      const [x, y] = [a.value(weights), b.value(weights)];
      return x === null || y === null ? null : y - x;
    },
  };
}

/** The ratio of means of `ratioOfMeans` over clusters of pairs; pairs without a value are left out. */
export function ratioOfMeansStatistic(
  direction: Direction,
  clusters: readonly (readonly Measured[])[],
  epsilon: number,
): ClusterStatistic {
  const present = clusters.map((pairs) => pairs.filter((pair) => Number.isFinite(pair.raw)));
  const total = (of: (pair: Measured) => number) =>
    Float64Array.from(present, (pairs) => pairs.reduce((sum, pair) => sum + of(pair), 0));
  const effects = total((pair) => pair.raw - baseline(direction, pair));
  const gaps = total((pair) => pair.clean - pair.corrupted);
  const sizes = total(() => 1);
  return {
    clusters: clusters.length,
    value: (weights) => {
      const gap = Math.abs(dot(weights, gaps));
      const n = dot(weights, sizes);
      return n > 0 && gap >= epsilon * n ? dot(weights, effects) / gap : null;
    },
  };
}

/** A correlation of paired points, each point a cluster of its own (drawn with replacement, it counts again). */
export function correlationStatistic(
  x: readonly number[],
  y: readonly number[],
  of: (x: readonly number[], y: readonly number[]) => number | null,
): ClusterStatistic {
  return {
    clusters: x.length,
    value: (weights) => {
      const repeated = (values: readonly number[]): number[] =>
        values.flatMap((value, i) => new Array<number>(weights[i] ?? 0).fill(value));
      return of(repeated(x), repeated(y));
    },
  };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < b.length; i++) total += (a[i] ?? 0) * (b[i] ?? 0);
  return total;
}
