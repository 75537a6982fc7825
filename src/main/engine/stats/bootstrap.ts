import { Mt19937 } from '../random/index.ts';
import type { ClusterStatistic, WeightedSums } from './clusters.ts';
import { mean, quantile } from './descriptive.ts';
import { FEWEST_CLUSTERS } from './refusals.ts';
import { normalCdf, normalQuantile } from './special.ts';

export interface BootstrapOptions {
  /** Default 10,000. */
  readonly resamples?: number;
  /** Coverage; default 0.95. */
  readonly level?: number;
  readonly seed: number;
}

export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  /** Clusters the interval rests on. */
  readonly clusters: number;
  /** Replicates that had a value. */
  readonly resamples: number;
}

/** Sums of this many columns and replicates are held at once, at most (doubles). */
const MOST_SUMS = 16_000_000;
/** Columns whose sums are kept: sites of a grid share their gaps and numbers of pairs. */
const KEPT_COLUMNS = 4;

/** How often each cluster counts in each replicate, row by row; one plan serves every site of a grid. */
export class ClusterBootstrap {
  readonly clusters: number;
  readonly #resamples: number;
  readonly #level: number;
  readonly #counts: Uint16Array;
  /** Last used first. */
  #kept: { readonly column: Float64Array; readonly sums: Float64Array }[] = [];

  /** `clusters` resampled with replacement; draws in the order of SciPy's `bootstrap` under RandomState(seed). */
  constructor(clusters: number, { resamples = 10_000, level = 0.95, seed }: BootstrapOptions) {
    this.clusters = clusters;
    this.#resamples = clusters < FEWEST_CLUSTERS ? 0 : resamples;
    this.#level = level;
    this.#counts = new Uint16Array(this.#resamples * clusters);
    const random = new Mt19937(seed);
    for (let row = 0; row < this.#resamples; row++) {
      for (let draw = 0; draw < clusters; draw++) {
        const at = row * clusters + random.interval(clusters - 1);
        this.#counts[at] = (this.#counts[at] ?? 0) + 1;
      }
    }
  }

  /**
   * Bias-corrected and accelerated interval (Efron 1987; ties count half in the bias correction, the
   * acceleration from the jackknife over clusters). Null below 3 clusters or without an estimate.
   */
  interval(statistic: ClusterStatistic): Interval | null {
    return this.#between(statistic, (estimate, replicates) =>
      this.#probabilities(estimate, replicates, jackknife(statistic)),
    );
  }

  /** Between the quantiles of the replicates (Efron's percentile interval); null as `interval`. */
  percentile(statistic: ClusterStatistic): Interval | null {
    const tail = (1 - this.#level) / 2;
    return this.#between(statistic, () => [tail, 1 - tail]);
  }

  #between(
    statistic: ClusterStatistic,
    probabilities: (estimate: number, replicates: Float64Array) => readonly [number, number],
  ): Interval | null {
    const estimate = statistic.value(new Float64Array(this.clusters).fill(1));
    if (this.#resamples === 0 || estimate === null) return null;
    const replicates = this.#replicates(statistic);
    if (replicates.length === 0) return null;
    const [lower, upper] = probabilities(estimate, replicates);
    return {
      estimate,
      low: quantile(replicates, lower),
      high: quantile(replicates, upper),
      level: this.#level,
      clusters: this.clusters,
      resamples: replicates.length,
    };
  }

  /** Ascending values of the replicates that have one. */
  #replicates(statistic: ClusterStatistic): Float64Array {
    const at = this.#valueAt(statistic);
    const values = new Float64Array(this.#resamples);
    let n = 0;
    for (let row = 0; row < this.#resamples; row++) {
      const value = at(row);
      if (value !== null) values[n++] = value;
    }
    return values.subarray(0, n).sort();
  }

  /** The statistic in a replicate. */
  #valueAt(statistic: ClusterStatistic): (row: number) => number | null {
    const { sums } = statistic;
    if (sums === undefined || sums.columns.length * this.#resamples > MOST_SUMS) {
      return (row) => statistic.value(this.#counts.subarray(row * this.clusters, (row + 1) * this.clusters));
    }
    const columns = sums.columns.map((column) => this.#sumsOf(column));
    const here = new Float64Array(columns.length);
    return (row) => {
      columns.forEach((column, i) => (here[i] = column[row] ?? 0));
      return sums.of(here);
    };
  }

  /** Σ counts·column in every replicate. */
  #sumsOf(column: Float64Array): Float64Array {
    const known = this.#kept.find((kept) => same(kept.column, column));
    const sums = known?.sums ?? weightedSums(this.#counts, column, this.#resamples);
    this.#kept = [{ column, sums }, ...this.#kept.filter((kept) => kept !== known)].slice(0, KEPT_COLUMNS);
    return sums;
  }

  #probabilities(estimate: number, sorted: Float64Array, left: readonly number[]): [number, number] {
    let less = 0;
    let notMore = 0;
    for (const value of sorted) {
      if (value < estimate) less++;
      if (value <= estimate) notMore++;
    }
    const n = sorted.length;
    // Kept off 0 and 1, where the correction would be infinite (every replicate on one side).
    const share = Math.min(1 - 0.5 / n, Math.max(0.5 / n, (less + notMore) / (2 * n)));
    const bias = normalQuantile(share);
    const acceleration = skew(left);
    const corrected = (z: number) => normalCdf(bias + (bias + z) / (1 - acceleration * (bias + z)));
    const z = normalQuantile((1 - this.#level) / 2);
    return [corrected(z), corrected(-z)];
  }
}

function same(a: Float64Array, b: Float64Array): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}

/** Rows of `counts` times `column`: where nearly all the time of an interval goes. */
function weightedSums(counts: Uint16Array, column: Float64Array, rows: number): Float64Array {
  const { length } = column;
  const sums = new Float64Array(rows);
  for (let row = 0, at = 0; row < rows; row++) {
    let total = 0;
    for (let c = 0; c < length; c++, at++) total += (counts[at] ?? 0) * (column[c] ?? 0);
    sums[row] = total;
  }
  return sums;
}

/** The statistic with each cluster left out in turn; undefined ones are dropped. */
function jackknife(statistic: ClusterStatistic): number[] {
  const leftOut = statistic.sums === undefined ? byWeights(statistic) : bySums(statistic.sums);
  const values: number[] = [];
  for (let c = 0; c < statistic.clusters; c++) {
    const value = leftOut(c);
    if (value !== null) values.push(value);
  }
  return values;
}

function byWeights(statistic: ClusterStatistic): (c: number) => number | null {
  const weights = new Float64Array(statistic.clusters).fill(1);
  return (c) => {
    weights[c] = 0;
    const value = statistic.value(weights);
    weights[c] = 1;
    return value;
  };
}

function bySums({ columns, of }: WeightedSums): (c: number) => number | null {
  const totals = columns.map((column) => column.reduce((sum, value) => sum + value, 0));
  const here = new Float64Array(columns.length);
  return (c) => {
    columns.forEach((column, i) => (here[i] = (totals[i] ?? 0) - (column[c] ?? 0)));
    return of(here);
  };
}

/** Acceleration: Σd³ / (6 (Σd²)^1.5), d = mean of the jackknife values − each; 0 where they do not differ. */
function skew(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const centre = mean(values);
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (centre - value) ** 2;
    cubes += (centre - value) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
}

/** BCa interval of one statistic; for many sites over the same clusters make one `ClusterBootstrap`. */
export function bcaInterval(statistic: ClusterStatistic, options: BootstrapOptions): Interval | null {
  return new ClusterBootstrap(statistic.clusters, options).interval(statistic);
}

/** Percentile interval of one statistic. */
export function percentileInterval(statistic: ClusterStatistic, options: BootstrapOptions): Interval | null {
  return new ClusterBootstrap(statistic.clusters, options).percentile(statistic);
}
