import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import type { DecoderFamily, Weights } from './family.ts';

/** What the loss multiplies: its logits are hidden [N, k] × unembedding [V, k]ᵀ. */
export interface LossHead {
  readonly hidden: Tensor;
  readonly unembedding: Tensor;
}

/**
 * The final rows [N, d] and the unembedding of a family. A bias of the logits becomes one more column of the
 * unembedding, which a column of ones in the rows multiplies.
 */
export function lossHead(g: Graph, family: DecoderFamily, w: Weights, hidden: Tensor): LossHead {
  const unembedding = family.unembedding(w);
  const bias = family.unembeddingBias(w);
  if (bias === null) return { hidden, unembedding };
  const [N] = hidden.shape;
  invariant(typeof N === 'number', 'the loss needs known sizes');
  const ones = g.constant('ones', [N, 1], new Float32Array(N).fill(1));
  return {
    hidden: b.concat(g, [hidden, ones], 1),
    unembedding: b.concat(g, [unembedding, b.unsqueeze(g, bias, [1])], 1),
  };
}
