import { InvariantError, invariant } from '../../../shared/errors/index.ts';
import { gradients, type Seed } from '../autodiff/backward.ts';
import { Graph, live, type Tensor } from '../graph/index.ts';
import { crossEntropyWithGradients } from './crossEntropy.ts';
import { decoderForward } from './decoder.ts';
import { maskedDropout, type MaskInput } from './dropout.ts';
import { lossHead } from './lossHead.ts';
import { keyMask } from './keyMask.ts';
import { familyOf } from './registry.ts';
import { gradientName, type TrainGraphOptions } from './trainGraph.ts';

/** A part of the training pass as a graph of its own. N = B·T rows. */
export interface PartGraph {
  readonly graph: Graph;
  /** Parameters that it reads. */
  readonly reads: readonly string[];
  /** Parameters whose gradients it gives, as `grad:NAME`. */
  readonly gives: readonly string[];
  readonly masks: readonly MaskInput[];
}

/** The name under which a part takes the gradient that an earlier part has given to the same parameter. */
export const arrivedName = (parameter: string): string => `arrived:${parameter}`;

const pre = (layer: number): string => `blocks.${layer}.hook_resid_pre`;
const post = (layer: number): string => `blocks.${layer}.hook_resid_post`;

interface Cut {
  readonly g: Graph;
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly w: (name: string) => Tensor;
  readonly masks: readonly MaskInput[];
  /** Residual stream [N, d] where the part begins; null where it begins with the embedding. */
  readonly x: Tensor | null;
  /** Residual stream [N, d] where it ends; null where it goes to the end. */
  readonly y: Tensor | null;
  /** Normalised final rows [N, d]. */
  readonly hidden: Tensor;
}

/**
 * The whole decoder, cut open at two of its hook points: what comes before `from` is replaced by an input `x`,
 * and what follows `to` is never asked for, so that neither is part of the exported graph.
 */
function cutDecoder(options: TrainGraphOptions, name: string, from: string | null, to: string | null): Cut {
  const { config, batch, length } = options;
  const g = new Graph(name);
  const ids = g.input('ids', 'int64', [batch, length]);
  const parameters = new Map(options.parameters.map((p) => [p.name, g.input(p.name, 'float32', p.shape)]));
  const w = (wanted: string): Tensor => {
    const tensor = parameters.get(wanted);
    if (tensor === undefined) throw new InvariantError(`training without the parameter ${wanted}`);
    return tensor;
  };
  const { dropout, masks } = maskedDropout(g, options.dropout);
  const hide = options.hidePadding === true ? keyMask(g, batch, length) : (_: string, value: Tensor) => value;
  const ends: { x: Tensor | null; y: Tensor | null } = { x: null, y: null };
  const hook = (point: string, value: Tensor): Tensor => {
    if (point === to) ends.y = value;
    if (point === from) return (ends.x = g.input('x', 'float32', value.shape));
    return hide(point, value);
  };
  const { hidden } = decoderForward(g, config, w, ids, { dropout, hook });
  invariant(from === null || ends.x !== null, `the decoder has no point ${from ?? ''}`);
  invariant(to === null || ends.y !== null, `the decoder has no point ${to ?? ''}`);
  return { g, parameters, w, masks, ...ends, hidden };
}

function finish({ g, parameters, masks }: Cut): PartGraph {
  const inputs = new Set(live(g).inputs.map((t) => t.name));
  const outputs = new Set(g.outputs.map((o) => o.name));
  return {
    graph: g,
    reads: [...parameters.keys()].filter((name) => inputs.has(name)),
    gives: [...parameters.keys()].filter((name) => outputs.has(gradientName(name))),
    masks: masks.filter(({ name }) => inputs.has(name)),
  };
}

/** Differentiates from the seeds: outputs `dx` where the part has an `x`, and the gradients of what it uses. */
function backward(cut: Cut, seeds: readonly Seed[]): PartGraph {
  const { g, x, parameters } = cut;
  const wanted = [...parameters.values()];
  const list = x === null ? wanted : [x, ...wanted];
  gradients(g, seeds, list).forEach((gradient, i) => {
    const tensor = list[i];
    if (gradient === null || tensor === undefined) return;
    g.output(tensor === x ? 'dx' : gradientName(tensor.name), gradient);
  });
  return finish(cut);
}

function forward(cut: Cut): PartGraph {
  invariant(cut.y !== null, 'a part with an end');
  cut.g.output('y', cut.y);
  return finish(cut);
}

function backwardOf(cut: Cut, more: readonly Seed[] = []): PartGraph {
  invariant(cut.y !== null, 'a part with an end');
  const dy = cut.g.input('dy', 'float32', cut.y.shape);
  return backward(cut, [{ tensor: cut.y, cotangent: dy }, ...more]);
}

const title = (what: string, { batch, length }: TrainGraphOptions): string => `${what}_${batch}x${length}`;

/** `ids` → `y`, the residual stream before the first layer. */
export function embeddingForward(options: TrainGraphOptions): PartGraph {
  return forward(cutDecoder(options, title('embed', options), null, pre(0)));
}

/** `x` before a layer → `y` after it, [N, d]. */
export function layerForward(options: TrainGraphOptions, layer: number): PartGraph {
  return forward(cutDecoder(options, title(`layer${layer}`, options), pre(layer), post(layer)));
}

/** `x` before a layer and `dy` = ∂loss/∂(what follows it) → `dx` and the layer's gradients; computes the layer anew. */
export function layerBackward(options: TrainGraphOptions, layer: number): PartGraph {
  return backwardOf(cutDecoder(options, title(`layer${layer}_back`, options), pre(layer), post(layer)));
}

/** `x` after the last layer, `labels`, `weights` (as in `trainGraph`) → `loss`, `dx`, gradients of norm and unembedding. */
export function headBackward(options: TrainGraphOptions): PartGraph {
  const { config, batch, length } = options;
  const cut = cutDecoder(options, title('head', options), post(config.nLayer - 1), null);
  const labels = cut.g.input('labels', 'int64', [batch * length]);
  const weights = cut.g.input('weights', 'float32', [batch * length, 1]);
  const head = lossHead(cut.g, familyOf(config), cut.w, cut.hidden);
  const loss = crossEntropyWithGradients(cut.g, { ...head, labels, weights });
  cut.g.output('loss', loss.loss);
  return backward(cut, [
    { tensor: head.hidden, cotangent: loss.hidden },
    { tensor: head.unembedding, cotangent: loss.unembedding },
  ]);
}

/**
 * `ids` and `dy` → the embedding's gradients. Those of `arrived` have got a part of theirs before (a tied
 * unembedding): it is taken as `arrived:NAME` and added to.
 */
export function embeddingBackward(options: TrainGraphOptions, arrived: readonly string[]): PartGraph {
  const cut = cutDecoder(options, title('embed_back', options), null, pre(0));
  const seeds = arrived.map((name): Seed => {
    const tensor = cut.w(name);
    return { tensor, cotangent: cut.g.input(arrivedName(name), 'float32', tensor.shape) };
  });
  return backwardOf(cut, seeds);
}
