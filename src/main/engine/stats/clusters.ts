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
  /** What `value` comes from, where sums over the clusters are all it needs: most do. */
  readonly sums?: WeightedSums;
}

/** A statistic of weighted sums: `of` gets Σ wᶜ·column[c] of every column, in their order. */
export interface WeightedSums {
  /** Each as long as there are clusters. */
  readonly columns: readonly Float64Array[];
  readonly of: (sums: ArrayLike<number>) => number | null;
}

/** A statistic that needs no more than sums over the clusters; a bootstrap computes equal columns once. */
export function sumsStatistic(clusters: number, sums: WeightedSums): ClusterStatistic {
  return {
    clusters,
    sums,
    value: (weights) => sums.of(sums.columns.map((column) => dot(weights, column))),
  };
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
  return sumsStatistic(clusters.length, {
    columns: [totals, sizes],
    of: ({ 0: total = 0, 1: n = 0 }) => (n > 0 ? total / n : null),
  });
}

/** b − a over the same clusters: both see the same weights, so its bootstrap is a paired one. */
export function differenceStatistic(a: ClusterStatistic, b: ClusterStatistic): ClusterStatistic {
  if (a.clusters !== b.clusters) {
    throw new InvariantError(
      `A paired difference needs the same clusters, not ${a.clusters} and ${b.clusters}.`,
    );
  }
  return combined([a, b], ([x = null, y = null]) => (x === null || y === null ? null : y - x));
}

/** A function of several statistics over the same clusters, all of which see the same weights. */
export function combined(
  parts: readonly ClusterStatistic[],
  of: (values: readonly (number | null)[]) => number | null,
): ClusterStatistic {
  const clusters = parts[0]?.clusters ?? 0;
  const sums = parts.flatMap((part) => part.sums ?? []);
  if (sums.length < parts.length) {
    return { clusters, value: (weights) => of(parts.map((part) => part.value(weights))) };
  }
  let start = 0;
  const places = sums.map(({ columns }) => {
    const place = { from: start, to: start + columns.length };
    start = place.to;
    return place;
  });
  return sumsStatistic(clusters, {
    columns: sums.flatMap(({ columns }) => columns),
    of: (all) => {
      const flat = Float64Array.from(all);
      return of(sums.map((part, i) => part.of(flat.subarray(places[i]?.from, places[i]?.to))));
    },
  });
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
  return sumsStatistic(clusters.length, {
    columns: [effects, gaps, sizes],
    of: ({ 0: effect = 0, 1: signed = 0, 2: n = 0 }) => {
      const gap = Math.abs(signed);
      return n > 0 && gap >= epsilon * n ? effect / gap : null;
    },
  });
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
