import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import type { Tap } from './family.ts';

/** Gain and bias of a norm, [d] each; `bias` null where the norm has none. */
export interface NormWeights {
  readonly gain: Tensor;
  readonly bias: Tensor | null;
}

/**
 * A norm over the last axis: x [N, d] → [N, d]. Its taps are `POINT.hook_scale` [N, 1], what the centred row is
 * divided by, and `POINT.hook_normalized` [N, d], after gain and bias. The scale lies beside the usual
 * path: the row is divided by it only where the tap returns another tensor than it was given.
 */
export type Norm = (g: Graph, x: Tensor, weights: NormWeights, epsilon: number, taps?: NormTaps) => Tensor;

export interface NormTaps {
  readonly tap: Tap;
  /** `ln1`, `ln2` or `ln_final`. */
  readonly point: string;
}

const LAST = -1;

function affine(g: Graph, x: Tensor, { gain, bias }: NormWeights): Tensor {
  const scaled = b.mul(g, x, gain);
  return bias === null ? scaled : b.add(g, scaled, bias);
}

/** Puts both taps around a norm: `whole` is its value, `centred` what its scale divides. */
function tapped(
  g: Graph,
  weights: NormWeights,
  { tap, point }: NormTaps,
  parts: { readonly whole: Tensor; readonly scale: Tensor; readonly centred: Tensor },
): Tensor {
  const scale = tap(`${point}.hook_scale`, parts.scale);
  const value = scale === parts.scale ? parts.whole : affine(g, b.div(g, parts.centred, scale), weights);
  return tap(`${point}.hook_normalized`, value);
}

/** LayerNorm (Ba et al. 2016): (x − mean) / √(variance + ε) · gain + bias. */
export const layerNorm: Norm = (g, x, weights, epsilon, taps) => {
  const inputs = weights.bias === null ? [x, weights.gain] : [x, weights.gain, weights.bias];
  const whole = g.op('LayerNormalization', inputs, { axis: LAST, epsilon: { float: epsilon } });
  if (taps === undefined) return whole;
  const centred = b.sub(g, x, b.reduceMean(g, x, [LAST]));
  const variance = b.reduceMean(g, b.mul(g, centred, centred), [LAST]);
  const scale = b.sqrt(g, b.add(g, variance, epsilon));
  return tapped(g, weights, taps, { whole, scale, centred });
};

/** RMSNorm (Zhang & Sennrich 2019): x / √(mean of x² + ε) · gain. Written as the runtime's fusion expects it. */
export const rmsNorm: Norm = (g, x, weights, epsilon, taps) => {
  const scale = b.sqrt(g, b.add(g, b.reduceMean(g, b.pow(g, x, 2), [LAST]), epsilon));
  const whole = affine(g, b.div(g, x, scale), weights);
  if (taps === undefined) return whole;
  return tapped(g, weights, taps, { whole, scale, centred: x });
};
