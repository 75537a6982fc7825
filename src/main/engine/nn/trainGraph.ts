import type { ModelConfig } from '../../../shared/domain/index.ts';
import { InvariantError, invariant } from '../../../shared/errors/index.ts';
import { gradients } from '../autodiff/backward.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { crossEntropyWithGradients } from './crossEntropy.ts';
import { decoderForward } from './decoder.ts';
import { maskedDropout, type MaskInput, type MaskSource } from './dropout.ts';
import { lossHead } from './lossHead.ts';
import { keyMask } from './keyMask.ts';
import { familyOf } from './registry.ts';

/** A trainable tensor: canonical name and shape. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface TrainGraphOptions {
  readonly config: ModelConfig;
  readonly parameters: readonly Parameter[];
  readonly batch: number;
  readonly length: number;
  /** Probability of dropping a value; 0 leaves no trace in the graph. */
  readonly dropout: number;
  /** Hides filler from attention by an input `keys` (see `keyMask`); default false. */
  readonly hidePadding?: boolean;
}

export interface TrainGraph {
  readonly graph: Graph;
  readonly masks: readonly MaskInput[];
}

export const gradientName = (parameter: string): string => `grad:${parameter}`;

/**
 * Loss and gradients of one batch. Inputs: `ids` [B, T], `labels` [B·T] (the token each position should
 * predict), `weights` [B·T, 1] (0 where nothing counts; they sum to the batch's share of the mean), every
 * parameter under its name, the dropout masks, and `keys` where filler is hidden. Outputs: `loss` and
 * `grad:NAME` for every parameter.
 */
export function trainGraph(options: TrainGraphOptions): TrainGraph {
  const { batch, length } = options;
  const g = new Graph(`train_${batch}x${length}`);
  const input: Graph['input'] = (...of) => g.input(...of);
  const batchInputs = batchOf(batch, length, input);
  const parameters = options.parameters.map((p) => g.input(p.name, 'float32', p.shape));
  const made = lossAndGradients(g, options, batchInputs, parameters, input);
  g.output('loss', made.loss);
  made.gradients.forEach((gradient, i) => {
    g.output(gradientName(options.parameters[i]?.name ?? ''), gradient);
  });
  return { graph: g, masks: made.masks };
}

/** A batch in a graph: ids [B, T], labels [B·T], weights [B·T, 1]. */
interface BatchTensors {
  readonly ids: Tensor;
  readonly labels: Tensor;
  readonly weights: Tensor;
}

export const batchOf = (batch: number, length: number, input: Graph['input']): BatchTensors => ({
  ids: input('ids', 'int64', [batch, length]),
  labels: input('labels', 'int64', [batch * length]),
  weights: input('weights', 'float32', [batch * length, 1]),
});

export interface LossAndGradients {
  /** []. */
  readonly loss: Tensor;
  /** In the order and the shapes of the parameters; times the loss scale, where there is one. */
  readonly gradients: readonly Tensor[];
  readonly masks: readonly MaskInput[];
}

export interface LossOptions {
  /** A power of two, [], that multiplies gradients from the loss on: small ones survive a narrower type on their way. */
  readonly lossScale?: Tensor | null;
  /** Where dropout masks come from; default: inputs of the graph. */
  readonly maskSource?: MaskSource;
}

/**
 * Appends loss and gradients of a batch to a graph. `parameters` are tensors of the graph in the order of
 * `options.parameters`; `input` gives what else is fed (`keys`).
 */
export function lossAndGradients(
  g: Graph,
  options: TrainGraphOptions,
  { ids, labels, weights }: BatchTensors,
  parameters: readonly Tensor[],
  input: Graph['input'],
  { lossScale = null, maskSource }: LossOptions = {},
): LossAndGradients {
  const { config, batch, length } = options;
  const byName = new Map(options.parameters.map(({ name }, i) => [name, parameters[i]]));
  const w = (name: string): Tensor => {
    const tensor = byName.get(name);
    if (tensor === undefined) throw new InvariantError(`training without the parameter ${name}`);
    return tensor;
  };
  const { dropout, masks } = maskedDropout(g, options.dropout, maskSource);
  const hook = options.hidePadding === true ? { hook: keyMask(g, batch, length, input) } : {};
  const { hidden } = decoderForward(g, config, w, ids, {
    ...(options.dropout > 0 ? { dropout } : {}),
    ...hook,
  });
  const head = lossHead(g, familyOf(config), w, hidden);
  const scaled = lossScale === null ? weights : b.mul(g, weights, lossScale);
  const loss = crossEntropyWithGradients(g, { ...head, labels, weights: scaled });
  const seeds = [
    { tensor: head.hidden, cotangent: loss.hidden },
    { tensor: head.unembedding, cotangent: loss.unembedding },
  ];
  const found = gradients(g, seeds, parameters).map((gradient, i) => {
    invariant(gradient !== null, `the loss does not depend on ${options.parameters[i]?.name ?? ''}`);
    return gradient;
  });
  return {
    loss: lossScale === null ? loss.loss : b.div(g, loss.loss, lossScale),
    gradients: found,
    masks,
  };
}
