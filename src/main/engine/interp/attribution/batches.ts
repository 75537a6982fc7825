import type { MetricName, ModelConfig } from '../../../../shared/domain/index.ts';
import { headWidth } from '../../../../shared/domain/index.ts';
import { floats, ints, type Feed } from '../compiler.ts';
import type { PromptRun } from '../cases.ts';
import type { PatchPair } from '../types.ts';
import { differentiable } from './metrics.ts';
import { IG_STEPS, type AttributionTask } from './types.ts';

/** One pair as it is estimated: the run patched into, and the run patched from. */
export interface AttributionCase {
  readonly pair: PatchPair;
  readonly target: PromptRun;
  readonly source: PromptRun;
}

/** One backward pass of a pair: where on the line it is taken, and the layer whose writes it leaves out. */
export interface Step {
  readonly alpha: number;
  /** −1 = none. */
  readonly dropped: number;
}

/** The backward passes of a task. `gates`: GradDrop, one pass a layer. */
export function stepsOf(
  { method, steps = IG_STEPS }: AttributionTask,
  gates: boolean,
  config: ModelConfig,
): Step[] {
  if (gates) return Array.from({ length: config.nLayer }, (_, dropped) => ({ alpha: 0, dropped }));
  if (method !== 'ig') return [{ alpha: 0, dropped: -1 }];
  return Array.from({ length: steps }, (_, k) => ({ alpha: (k + 1) / steps, dropped: -1 }));
}

/** Working memory of one token of one gradient run with its two plain runs, bytes of float32. */
export function tokenBytes(config: ModelConfig, tokens: number, elements: number): number {
  const { nLayer, nHead, dModel, dMlp } = config;
  const attention = 4 * nHead * headWidth(config) + 4 * nHead * tokens;
  return 4 * nLayer * (12 * dModel + 4 * dMlp + attention + elements);
}

/** Padding may add this share to the tokens of a batch. */
const PADDING = 0.25;

/**
 * Batches of pairs of similar length whose gradient runs fit the limit (or one pair alone), longest first.
 */
export function batchesOf<C extends AttributionCase>(
  cases: readonly C[],
  config: ModelConfig,
  elements: number,
  limit: number,
): C[][] {
  const length = ({ target }: AttributionCase): number => lengthOf([target]);
  const sorted = [...cases].sort((a, b) => length(b) - length(a));
  const batches: C[][] = [];
  let batch: C[] = [];
  let real = 0;
  for (const one of sorted) {
    const T = batch[0] === undefined ? length(one) : length(batch[0]);
    const padded = (batch.length + 1) * T;
    const fits =
      padded * tokenBytes(config, T, elements) <= limit && padded <= (1 + PADDING) * (real + length(one));
    if (batch.length > 0 && !fits) {
      batches.push(batch);
      batch = [];
      real = 0;
    }
    batch.push(one);
    real += length(one);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** Tokens up to the last read position: what follows changes nothing before it. */
export function lengthOf(runs: readonly PromptRun[]): number {
  return Math.max(...runs.map((run) => (run.reads.at(-1) ?? 0) + 1));
}

export interface BatchFeeds {
  readonly feeds: Record<string, Feed>;
  /** Tokens of every row, the shorter ones padded. */
  readonly tokens: number;
}

/** What a run of the graph is fed for some steps of a batch. Row s·B + p is step s of pair p. */
export function feedsOf(
  batch: readonly AttributionCase[],
  steps: readonly Step[],
  metrics: readonly MetricName[],
  config: ModelConfig,
): BatchFeeds {
  const B = batch.length;
  const R = B * steps.length;
  const T = lengthOf(batch.flatMap(({ target, source }) => [target, source]));
  const rows = (runs: readonly PromptRun[]): Feed =>
    ints(
      runs.flatMap(({ ids }) => Array.from({ length: T }, (_, t) => ids[t] ?? 0)),
      [runs.length, T],
    );
  const reads = (runs: readonly PromptRun[]): Feed =>
    ints(
      runs.map((run, r) => r * T + (run.reads.at(-1) ?? 0)),
      [runs.length],
    );
  const targets = batch.map(({ target }) => target);
  const sources = batch.map(({ source }) => source);
  const repeated = steps.flatMap(() => targets);
  const columns = [...new Set(batch.flatMap(({ pair }) => [...pair.answer, ...pair.wrong]))];
  const feeds: Record<string, Feed> = {
    ids: rows(repeated),
    read: reads(repeated),
    source_ids: rows(sources),
    source_read: reads(sources),
    base_ids: rows(targets),
    base_read: reads(targets),
    columns: ints(columns, [columns.length]),
    pair_of: ints(
      Array.from({ length: R }, (_, r) => r % B),
      [R],
    ),
    row_of: ints(
      Array.from({ length: R * T }, (_, i) => i % (B * T)),
      [R * T],
    ),
    alpha: floats(
      perToken(steps, B * T, 1, (step) => step.alpha),
      [R * T, 1],
    ),
    keep: floats(
      perToken(steps, B * T, config.nLayer, (step, layer) => (step.dropped === layer ? 0 : 1)),
      [R * T, config.nLayer],
    ),
  };
  for (const metric of metrics) {
    const { weight } = differentiable(metric, 'ig', 'denoising');
    if (weight === null) continue;
    const one = batch.flatMap(({ pair }) => columns.map((id) => weight(pair, id)));
    feeds[`pair_weights:${metric}`] = floats(Float32Array.from(one), [B, columns.length]);
    const each = steps.flatMap(() => one);
    feeds[`weights:${metric}`] = floats(Float32Array.from(each), [R, columns.length]);
  }
  return { feeds, tokens: T };
}

/** [steps × rows, width] with the same values for every row of a step. */
function perToken(
  steps: readonly Step[],
  rows: number,
  width: number,
  value: (step: Step, column: number) => number,
): Float32Array {
  const out = new Float32Array(steps.length * rows * width);
  steps.forEach((step, s) => {
    const row = Float32Array.from({ length: width }, (_, column) => value(step, column));
    for (let r = 0; r < rows; r++) out.set(row, (s * rows + r) * width);
  });
  return out;
}
