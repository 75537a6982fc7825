import type { MetricName, ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import type { CompiledGraph } from '../compiler.ts';
import type { PatchBlock } from '../types.ts';
import { feedsOf, type Step } from './batches.ts';
import { estimateName, QK_HOOKS, type GraphSpec } from './graph.ts';
import { isMasked, type PlannedPair, type SiteGrid } from './sites.ts';
import { estimateOf, estimatesOf, type Estimates } from './slices.ts';
import type { AttributionTask } from './types.ts';

interface Sums {
  /** Σ over steps of the estimates, per cell. */
  readonly total: Float64Array;
  /** Σ over steps of their absolute values. */
  readonly magnitude: Float64Array;
}

const size = ({ shape }: SiteGrid): number => shape.reduce((n, extent) => n * extent, 1);

/** Collects the estimates of a batch of pairs, step by step, and makes blocks of them. */
export class Tally {
  readonly #batch: readonly PlannedPair[];
  readonly #task: AttributionTask;
  readonly #spec: GraphSpec;
  readonly #config: ModelConfig;
  readonly #sums = new Map<string, Sums>();
  /** Per metric its value in every pair's base and source run. */
  readonly #base = new Map<MetricName, Float32Array>();
  readonly #source = new Map<MetricName, Float32Array>();

  constructor(batch: readonly PlannedPair[], task: AttributionTask, spec: GraphSpec, config: ModelConfig) {
    this.#batch = batch;
    this.#task = task;
    this.#spec = spec;
    this.#config = config;
  }

  async run(graph: CompiledGraph, steps: readonly Step[]): Promise<void> {
    const { metrics } = this.#task;
    const { hooks, path, qkFix } = this.#spec;
    const baseName = path === 'inputs' ? 'base' : 'value';
    const { feeds, tokens } = feedsOf(this.#batch, steps, metrics, this.#config);
    const names = (m: MetricName): string[] => [
      `source:${m}`,
      `${baseName}:${m}`,
      ...hooks.map(({ hook }) => estimateName(m, hook)),
    ];
    const out = await graph.run(feeds, metrics.flatMap(names));
    const take = (name: string): Float32Array => {
      const values = out[name];
      invariant(values !== undefined, `the graph gives ${name}`);
      return values;
    };
    for (const metric of metrics) {
      this.#source.set(metric, take(`source:${metric}`));
      this.#base.set(metric, take(`${baseName}:${metric}`));
      const estimates = new Map(
        hooks.map((wanted): [string, Estimates] => {
          const run = {
            rows: this.#batch.length * steps.length,
            tokens,
            fixed: qkFix && QK_HOOKS.has(wanted.hook),
          };
          const values = take(estimateName(metric, wanted.hook));
          return [wanted.hook, estimatesOf(values, wanted, run, this.#config)];
        }),
      );
      this.#batch.forEach((pair, p) => {
        for (const grid of pair.grids)
          this.#add(this.#sumsOf(p, grid, metric), grid, p, steps.length, estimates);
      });
    }
  }

  #add(
    sums: Sums,
    { sites }: SiteGrid,
    pair: number,
    steps: number,
    of: ReadonlyMap<string, Estimates>,
  ): void {
    for (const site of sites) {
      if (site.place.judgement.zero) continue;
      for (let s = 0; s < steps; s++) {
        let change = 0;
        for (const edit of site.place.edits) {
          const estimates = of.get(edit.hook);
          invariant(estimates !== undefined, `estimates of ${edit.hook}`);
          change += estimateOf(estimates, edit, site, s * this.#batch.length + pair);
        }
        sums.total[site.index] = (sums.total[site.index] ?? 0) + change;
        sums.magnitude[site.index] = (sums.magnitude[site.index] ?? 0) + Math.abs(change);
      }
    }
  }

  #sumsOf(pair: number, grid: SiteGrid, metric: MetricName): Sums {
    const key = `${pair}:${grid.grid}:${metric}`;
    const known = this.#sums.get(key);
    if (known !== undefined) return known;
    const made = { total: new Float64Array(size(grid)), magnitude: new Float64Array(size(grid)) };
    this.#sums.set(key, made);
    return made;
  }

  *blocks(steps: number): Generator<PatchBlock> {
    const { metrics, direction } = this.#task;
    for (const [p, pair] of this.#batch.entries()) {
      const valuesOf = (run: ReadonlyMap<MetricName, Float32Array>): number[] =>
        metrics.map((m) => run.get(m)?.[p] ?? Number.NaN);
      const [base, source] = [valuesOf(this.#base), valuesOf(this.#source)];
      const [clean, corrupted] = direction === 'denoising' ? [source, base] : [base, source];
      for (const grid of pair.grids) {
        const raw = metrics.map((metric, m) => {
          const values = new Float64Array(size(grid)).fill(Number.NaN);
          const sums = this.#sumsOf(p, grid, metric);
          for (const site of grid.sites) {
            if (isMasked(site)) continue;
            values[site.index] = (base[m] ?? Number.NaN) + this.#change(sums, site.index, steps);
          }
          return values;
        });
        const zero = new Uint8Array(size(grid));
        const trivial = new Uint8Array(size(grid));
        for (const site of grid.sites) {
          if (isMasked(site)) continue;
          zero[site.index] = site.place.judgement.zero ? 1 : 0;
          trivial[site.index] = site.place.judgement.trivial ? 1 : 0;
        }
        yield {
          grid: grid.grid,
          pair: pair.index,
          draw: 0,
          shape: grid.shape,
          raw,
          clean,
          corrupted,
          zero,
          trivial,
        };
      }
    }
  }

  /** Mean over the steps; under GradDrop its mean magnitude with the sign of the sum. */
  #change({ total, magnitude }: Sums, index: number, steps: number): number {
    const sum = total[index] ?? Number.NaN;
    return this.#spec.gates ? (Math.sign(sum) * (magnitude[index] ?? Number.NaN)) / (steps - 1) : sum / steps;
  }
}
