import {
  METRICS,
  type Direction,
  type MetricName,
  type ModelConfig,
} from '../../../../shared/domain/index.ts';
import { UserInputError } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import type { Graph, Tensor } from '../../graph/index.ts';
import type { Weights } from '../../nn/family.ts';
import { familyOf } from '../../nn/registry.ts';
import type { AttributionMethod } from './types.ts';
import type { PatchPair } from '../types.ts';

/** Final rows of one run at the read positions, and what a metric may ask of the unembedding there. */
export interface Read {
  /** Logits of the batch's columns, [R, U]. */
  readonly columns: () => Tensor;
  /** All logits, [R, vocabulary]. */
  readonly logits: () => Tensor;
}

interface MetricBuild {
  readonly g: Graph;
  /** [U] token ids of the columns. */
  readonly ids: Tensor;
  /** [R, U] what each column counts for each row; see `weight`. */
  readonly weights: Tensor;
  /** log P of the clean run, [R, vocabulary]; nothing is differentiated through it. */
  readonly cleanLogP: () => Tensor;
}

/** A metric with a gradient: its value [R, 1] from the read rows, in the engine's own ops. */
interface DifferentiableMetric {
  readonly value: (c: MetricBuild, read: Read) => Tensor;
  /** What a token counts for a pair; null where columns are not used. */
  readonly weight: ((pair: PatchPair, id: number) => number) | null;
  /** Why a method cannot estimate it in a direction; null where it can. */
  readonly refusal?: (method: AttributionMethod, direction: Direction) => string | null;
}

const share = (ids: readonly number[], id: number): number => ids.filter((x) => x === id).length;
const contrast =
  (scale: (ids: readonly number[]) => number) =>
  (pair: PatchPair, id: number): number =>
    share(pair.answer, id) * scale(pair.answer) - share(pair.wrong, id) * scale(pair.wrong);
/** Different alternatives may share a token: probability counts each token once. */
const member = (pair: PatchPair, id: number): number => (pair.answer.includes(id) ? 1 : 0);

const weighted = ({ g, weights }: MetricBuild, columns: Tensor): Tensor =>
  b.reduceSum(g, b.mul(g, columns, weights), [1]);
const probability = (c: MetricBuild, read: Read): Tensor =>
  weighted(c, b.gather(c.g, b.softmax(c.g, read.logits()), c.ids, 1));

/** METHODS section 2, one row per metric that first-order methods can estimate. */
const TABLE: Readonly<Partial<Record<MetricName, DifferentiableMetric>>> = {
  logit_diff: {
    value: (c, read) => weighted(c, read.columns()),
    weight: contrast((ids) => 1 / ids.length),
  },
  logit_diff_sum: { value: (c, read) => weighted(c, read.columns()), weight: contrast(() => 1) },
  prob: { value: probability, weight: member },
  log_prob: { value: (c, read) => b.log(c.g, probability(c, read)), weight: member },
  /** −KL(P_clean ‖ P). */
  kl: {
    value: (c, read) => {
      const logP = c.g.op('LogSoftmax', [read.logits()], { axis: 1 });
      const clean = c.cleanLogP();
      return b.reduceSum(c.g, b.mul(c.g, b.exp(c.g, clean), b.sub(c.g, logP, clean)), [1]);
    },
    weight: null,
    refusal: (method, direction) =>
      direction === 'noising' && method !== 'ig'
        ? 'its gradient at the clean run is zero, so a first-order estimate is zero everywhere'
        : null,
  },
};

export const ATTRIBUTION_METRICS = METRICS.map((m) => m.name).filter((name) => TABLE[name] !== undefined);

/** @throws UserInputError METRIC_NO_GRADIENT with the reason, where the method cannot estimate the metric. */
export function differentiable(
  metric: MetricName,
  method: AttributionMethod,
  direction: Direction,
): DifferentiableMetric {
  const entry = TABLE[metric];
  const reason =
    entry === undefined
      ? 'it is not a smooth function of the logits of one run'
      : entry.refusal?.(method, direction);
  if (entry !== undefined && typeof reason !== 'string') return entry;
  const label = METRICS.find((m) => m.name === metric)?.label ?? metric;
  throw new UserInputError(
    'METRIC_NO_GRADIENT',
    `The ${label} cannot be estimated by gradients: ${reason ?? ''}.`,
    `Patch exactly, or measure one of: ${ATTRIBUTION_METRICS.join(', ')}.`,
  );
}

/** Unembedding of rows h [R, d], each part built once and only if a metric asks for it. */
export function readRows(g: Graph, config: ModelConfig, w: Weights, h: Tensor, ids: Tensor): Read {
  const family = familyOf(config);
  const once = (build: () => Tensor): (() => Tensor) => {
    let made: Tensor | undefined;
    return () => (made ??= build());
  };
  const bias = (): Tensor | null => family.unembeddingBias(w);
  return {
    columns: once(() => {
      const all = bias();
      const picked = all === null ? null : b.gather(g, all, ids);
      return b.gemm(g, h, b.gather(g, family.unembedding(w), ids), picked, { transB: true });
    }),
    logits: once(() => b.gemm(g, h, family.unembedding(w), bias(), { transB: true })),
  };
}
