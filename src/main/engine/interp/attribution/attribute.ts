import { invariant, UserInputError } from '../../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../../shared/domain/index.ts';
import { casesOf } from '../cases.ts';
import type { CompiledGraph, GraphCompiler } from '../compiler.ts';
import { editsOf, judge, maskedCell, type Edit, type Judgement } from '../edits.ts';
import { firstDifference } from '../cases.ts';
import { gridCells, gridShape } from '../sites.ts';
import type { PatchBlock } from '../types.ts';
import {
  batchesOf,
  feedsOf,
  lengthOf,
  stepsOf,
  tokenBytes,
  type AttributionCase,
  type Step,
} from './batches.ts';
import { attributionGraph, estimateName, graphName, QK_HOOKS, type GraphSpec } from './graph.ts';
import { differentiable } from './metrics.ts';
import { estimateOf, wantedHooks, type Estimates } from './slices.ts';
import { IG_STEPS, type AttributionTask } from './types.ts';

/** Working memory of one run where nobody says otherwise. */
const DEFAULT_BYTES = 512 * 2 ** 20;

/** One cell of a grid for one pair, and what is known of it before anything runs. */
interface Site {
  readonly index: number;
  readonly edits: readonly Edit[];
  readonly judgement: Judgement;
}
interface Grid {
  readonly grid: number;
  readonly shape: readonly number[];
  readonly sites: readonly Site[];
}
interface Planned extends AttributionCase {
  readonly index: number;
  readonly grids: readonly Grid[];
}

export interface AttributionOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
}

/** The attribution graphs of one model, each compiled when first asked for. */
export class AttributionSessions {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #made = new Map<string, Promise<CompiledGraph>>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  graph(spec: GraphSpec): Promise<CompiledGraph> {
    const name = graphName(spec);
    const made =
      this.#made.get(name) ?? this.#compiler.compile(attributionGraph(this.config, this.#compiler, spec));
    this.#made.set(name, made);
    made.catch(() => this.#made.delete(name));
    return made;
  }
}

/**
 * First-order estimates of activation patching for whole grids (METHODS section 7), in the blocks of exact
 * patching: `raw` is the metric of the base run (the one patched into: corrupted for denoising, clean for
 * noising) plus the estimated change. With `atp-star` the change has the magnitude of GradDrop and the sign of
 * the sum over its passes. Yields one block per grid and pair.
 * @throws UserInputError METRIC_NO_GRADIENT, ATTRIBUTION_SOURCE, ATTRIBUTION_SEQUENCE, ATTRIBUTION_CROSS,
 * HOOK_NO_ESTIMATE.
 */
export async function* attribute(
  sessions: AttributionSessions,
  task: AttributionTask,
  options: AttributionOptions = {},
): AsyncGenerator<PatchBlock, void, undefined> {
  const { config } = sessions;
  for (const metric of task.metrics) differentiable(metric, task.method, task.direction);
  const planned = planAll(task, config);
  if (planned.length === 0) return;
  const spec = specOf(task, planned, config);
  const elements = spec.hooks.filter((h) => h.grain === 'element').length * config.dMlp;
  const limit = task.memoryBytes ?? DEFAULT_BYTES;
  const steps = stepsOf(task.method, task.steps ?? IG_STEPS, config);
  const graph = await sessions.graph(spec);
  for (const batch of batchesOf(planned, config, elements, limit) as Planned[][]) {
    const T = lengthOf(batch.flatMap(({ target, source }) => [target, source]));
    const atOnce = Math.max(1, Math.floor(limit / (batch.length * T * tokenBytes(config, T, elements))));
    const tally = new Tally(batch, task, spec, config);
    for (let from = 0; from < steps.length; from += atOnce) {
      options.check?.();
      await tally.run(graph, steps.slice(from, from + atOnce));
    }
    yield* tally.blocks(steps.length);
  }
}

function specOf(task: AttributionTask, planned: readonly Planned[], config: ModelConfig): GraphSpec {
  const edits = planned.flatMap((p) => p.grids.flatMap((g) => g.sites.flatMap((s) => s.edits)));
  const star = task.method === 'atp-star';
  return {
    hooks: wantedHooks(edits),
    metrics: task.metrics,
    path: task.method === 'ig' ? 'inputs' : 'base',
    repeated: task.method !== 'atp',
    gates: star && config.nLayer > 1,
    qkFix: star && edits.some((edit) => QK_HOOKS.has(edit.hook)),
    clean: task.direction === 'denoising' ? 'source' : 'base',
  };
}

function planAll(task: AttributionTask, config: ModelConfig): Planned[] {
  const done = new Set(task.done ?? []);
  return task.pairs.flatMap((pair, index): Planned[] => {
    const grids = task.grids.map((_, g) => g).filter((g) => !done.has(`${g}:${index}`));
    if (grids.length === 0) return [];
    refuseUnsupported(task, index);
    const [one] = casesOf(task, index, () => {
      throw new UserInputError('ATTRIBUTION_SOURCE', 'Noise cannot be estimated.', 'Patch exactly.');
    });
    invariant(one !== undefined, `pair ${index} has a case`);
    const source = one.donor ?? one.other;
    const first = firstDifference(one.target, source);
    const context = { pair, one, direction: task.direction, config };
    return [
      {
        pair,
        index,
        one,
        target: one.target,
        source,
        grids: grids.flatMap((g): Grid[] => {
          const grid = task.grids[g];
          if (grid === undefined) return [];
          const only = task.cells?.[g];
          const chosen = only == null ? null : new Set(only);
          const sites = gridCells(grid, config, one.tokens)
            .filter((cell) => chosen?.has(cell.index) ?? true)
            .map((cell): Site => {
              const edits = editsOf(grid, cell, context);
              for (const edit of edits) refuseEdit(edit, pair.id);
              return { index: cell.index, edits, judgement: judge(edits, one, source, first, config) };
            });
          return [{ grid: g, shape: gridShape(grid, config, one.tokens), sites }];
        }),
      },
    ];
  });
}

/** Sources whose difference from the base run is not another prompt's activation are patched exactly. */
function refuseUnsupported({ source, noise, pairs }: AttributionTask, index: number): void {
  const kind = source?.kind ?? 'pair';
  if (noise !== undefined || (kind !== 'pair' && kind !== 'prompt' && kind !== 'resample')) {
    throw new UserInputError(
      'ATTRIBUTION_SOURCE',
      `Gradients estimate patches from another prompt, not from ${noise === undefined ? kind.replaceAll('_', ' ') : 'noise'}.`,
      'Patch exactly (--method exact), or patch from the pair’s other prompt.',
    );
  }
  const pair = pairs[index];
  if (pair?.sequences !== undefined) {
    throw new UserInputError(
      'ATTRIBUTION_SEQUENCE',
      `Pair ${pair.id}: answers of several tokens cannot be estimated by gradients.`,
      'Score the first token of the answers, or patch exactly.',
    );
  }
}

function refuseEdit(edit: Edit, pair: string): void {
  if (edit.hook === 'logits') {
    throw new UserInputError(
      'HOOK_NO_ESTIMATE',
      'The logits are what the metric is made of: nothing is left to estimate there.',
      'Leave the hook out, or patch exactly.',
    );
  }
  if (edit.tokens.some(({ to, from }) => to !== from)) {
    throw new UserInputError(
      'ATTRIBUTION_CROSS',
      `Pair ${pair}: gradients estimate patches from the same position of the other prompt.`,
      'Patch across positions exactly.',
    );
  }
}

/** Collects the estimates of a batch, step by step, and makes blocks of them. */
class Tally {
  readonly #batch: readonly Planned[];
  readonly #task: AttributionTask;
  readonly #spec: GraphSpec;
  readonly #config: ModelConfig;
  /** Per pair, grid and metric: sums over steps of the estimates and of their absolute values. */
  readonly #sums: Map<string, { readonly total: Float64Array; readonly magnitude: Float64Array }> = new Map();
  readonly #base: Map<string, Float32Array> = new Map();
  readonly #source: Map<string, Float32Array> = new Map();

  constructor(batch: readonly Planned[], task: AttributionTask, spec: GraphSpec, config: ModelConfig) {
    this.#batch = batch;
    this.#task = task;
    this.#spec = spec;
    this.#config = config;
  }

  async run(graph: CompiledGraph, steps: readonly Step[]): Promise<void> {
    const { metrics } = this.#task;
    const { hooks, path } = this.#spec;
    const baseName = path === 'inputs' ? 'base' : 'value';
    const { feeds, tokens } = feedsOf(this.#batch, steps, metrics, this.#config);
    const fetches = metrics.flatMap((m) => [
      `source:${m}`,
      `${baseName}:${m}`,
      ...hooks.map(({ hook }) => estimateName(m, hook)),
    ]);
    const out = await graph.run(feeds, fetches);
    const take = (name: string): Float32Array => {
      const values = out[name];
      invariant(values !== undefined, `the graph gives ${name}`);
      return values;
    };
    for (const metric of metrics) {
      this.#source.set(metric, take(`source:${metric}`));
      this.#base.set(metric, take(`${baseName}:${metric}`));
      const byHook = new Map(
        hooks.map((wanted): [string, Estimates] => [
          wanted.hook,
          {
            values: take(estimateName(metric, wanted.hook)),
            wanted,
            fixed: this.#spec.qkFix && QK_HOOKS.has(wanted.hook),
            rows: this.#batch.length * steps.length,
            tokens,
          },
        ]),
      );
      this.#batch.forEach((one, p) => {
        for (const grid of one.grids) {
          const sums = this.#sumsOf(p, grid, metric);
          for (const { index, edits } of grid.sites) {
            for (let s = 0; s < steps.length; s++) {
              let change = 0;
              for (const edit of edits) {
                const estimates = byHook.get(edit.hook);
                invariant(estimates !== undefined, `estimates of ${edit.hook}`);
                change += estimateOf(estimates, edit, s * this.#batch.length + p, this.#config);
              }
              sums.total[index] = (sums.total[index] ?? 0) + change;
              sums.magnitude[index] = (sums.magnitude[index] ?? 0) + Math.abs(change);
            }
          }
        }
      });
    }
  }

  #sumsOf(pair: number, grid: Grid, metric: string): { total: Float64Array; magnitude: Float64Array } {
    const key = `${pair}:${grid.grid}:${metric}`;
    const known = this.#sums.get(key);
    if (known !== undefined) return known;
    const size = grid.shape.reduce((n, extent) => n * extent, 1);
    const made = { total: new Float64Array(size), magnitude: new Float64Array(size) };
    this.#sums.set(key, made);
    return made;
  }

  *blocks(steps: number): Generator<PatchBlock> {
    const { metrics, direction } = this.#task;
    for (const [p, one] of this.#batch.entries()) {
      const value = (of: Map<string, Float32Array>): number[] =>
        metrics.map((m) => of.get(m)?.[p] ?? Number.NaN);
      const [base, source] = [value(this.#base), value(this.#source)];
      for (const grid of one.grids) {
        const size = grid.shape.reduce((n, extent) => n * extent, 1);
        const block: PatchBlock = {
          grid: grid.grid,
          pair: one.index,
          draw: 0,
          shape: grid.shape,
          raw: metrics.map(() => new Float64Array(size).fill(Number.NaN)),
          clean: direction === 'denoising' ? source : base,
          corrupted: direction === 'denoising' ? base : source,
          zero: new Uint8Array(size),
          trivial: new Uint8Array(size),
        };
        for (const { index, edits, judgement } of grid.sites) {
          block.zero[index] = judgement.zero ? 1 : 0;
          block.trivial[index] = judgement.trivial ? 1 : 0;
          if (edits.every(maskedCell)) continue;
          metrics.forEach((metric, m) => {
            const raw = block.raw[m];
            const sums = this.#sumsOf(p, grid, metric);
            if (raw !== undefined)
              raw[index] = (base[m] ?? Number.NaN) + this.#change(sums, index, judgement, steps);
          });
        }
        yield block;
      }
    }
  }

  #change(
    sums: { readonly total: Float64Array; readonly magnitude: Float64Array },
    index: number,
    judgement: Judgement,
    steps: number,
  ): number {
    if (judgement.zero) return 0;
    const total = sums.total[index] ?? Number.NaN;
    if (!this.#spec.gates) return total / steps;
    return (Math.sign(total) * (sums.magnitude[index] ?? Number.NaN)) / (steps - 1);
  }
}
