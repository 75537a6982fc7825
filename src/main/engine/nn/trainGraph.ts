import type { ModelConfig } from '../../../shared/domain/index.ts';
import { InvariantError, invariant } from '../../../shared/errors/index.ts';
import { gradients } from '../autodiff/backward.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { crossEntropyWithGradients } from './crossEntropy.ts';
import { decoderForward } from './decoder.ts';
import { maskedDropout, type MaskInput } from './dropout.ts';
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
  const { config, batch, length } = options;
  const g = new Graph(`train_${batch}x${length}`);
  const ids = g.input('ids', 'int64', [batch, length]);
  const labels = g.input('labels', 'int64', [batch * length]);
  const weights = g.input('weights', 'float32', [batch * length, 1]);
  const parameters = new Map(options.parameters.map((p) => [p.name, g.input(p.name, 'float32', p.shape)]));
  const w = (name: string): Tensor => {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new InvariantError(`training without the parameter ${name}`);
    return tensor;
  };
  const { dropout, masks } = maskedDropout(g, options.dropout);
  const hook = options.hidePadding === true ? { hook: keyMask(g, batch, length) } : {};
  const { hidden } = decoderForward(g, config, w, ids, { dropout, ...hook });
  const head = lossHead(g, familyOf(config), w, hidden);
  const loss = crossEntropyWithGradients(g, { ...head, labels, weights });
  g.output('loss', loss.loss);
  const seeds = [
    { tensor: head.hidden, cotangent: loss.hidden },
    { tensor: head.unembedding, cotangent: loss.unembedding },
  ];
  const list = [...parameters.values()];
  gradients(g, seeds, list).forEach((gradient, i) => {
    const name = list[i]?.name ?? '';
    invariant(gradient !== null, `the loss does not depend on ${name}`);
    g.output(gradientName(name), gradient);
  });
  return { graph: g, masks };
}
