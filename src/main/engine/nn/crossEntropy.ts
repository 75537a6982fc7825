import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/** Elements of one block of logits: small enough to stay near the processor, large enough for its matrix units. */
const BLOCK_ELEMENTS = 2 ** 21;
const MIN_BLOCK_ROWS = 256;

export interface LossInputs {
  /** Normalised final rows, [N, d]. */
  readonly hidden: Tensor;
  /** Unembedding, [V, d]. */
  readonly unembedding: Tensor;
  /** The token each row should predict, int64 [N]; any valid id where the weight is 0. */
  readonly labels: Tensor;
  /** What each row counts, [N, 1]: 0 for padding, 1 / number of counted tokens for a mean. */
  readonly weights: Tensor;
}

export interface LossGradients {
  /** Σ weight · −log P(label), []. */
  readonly loss: Tensor;
  /** ∂loss/∂hidden, [N, d]. */
  readonly hidden: Tensor;
  /** ∂loss/∂unembedding, [V, d]. */
  readonly unembedding: Tensor;
}

/** Negative log-likelihood of each row's label, [R, 1]: log Σ exp(logits) − logit of the label. */
export function nll(g: Graph, logits: Tensor, labels: Tensor): Tensor {
  const lse = g.op('ReduceLogSumExp', [logits, g.ints([1])], { keepdims: 1 });
  const own = g.op('GatherElements', [logits, b.unsqueeze(g, labels, [1])], { axis: 1 });
  return b.sub(g, lse, own);
}

/** Σ weight · nll, []; the plain form, for evaluation and as the measure of the one below. */
export function crossEntropy(g: Graph, inputs: LossInputs): Tensor {
  const logits = b.gemm(g, inputs.hidden, inputs.unembedding, null, { transB: true }); // [N, V]
  return b.reduceSum(g, b.mul(g, nll(g, logits, inputs.labels), inputs.weights), [0, 1], false);
}

/** Sizes of the row blocks in which N rows of V logits are worked off. */
export function blockRows(rows: number, vocabulary: number): number[] {
  const most = Math.max(MIN_BLOCK_ROWS, Math.floor(BLOCK_ELEMENTS / vocabulary));
  const count = Math.ceil(rows / most);
  return Array.from(
    { length: count },
    (_, i) => Math.floor(((i + 1) * rows) / count) - Math.floor((i * rows) / count),
  );
}

/**
 * Cross-entropy and its gradients together, block of rows by block: no [N, V] matrix but one block's exists
 * at a time. With P the softmax of a block and Y its labels as unit rows, ∂loss/∂logits = w·(P − Y); the
 * weight w of a row is applied to the narrow factors, (P − Y)·U and w·hidden, not to the wide P − Y.
 * log Σ exp is read off the softmax itself: the largest logit less the log of the largest probability.
 */
export function crossEntropyWithGradients(g: Graph, inputs: LossInputs): LossGradients {
  const [N] = inputs.hidden.shape;
  const [V] = inputs.unembedding.shape;
  invariant(typeof N === 'number' && typeof V === 'number', 'the loss needs known sizes');
  const sizes = blockRows(N, V);
  const parts = (x: Tensor): Tensor[] => (sizes.length === 1 ? [x] : b.split(g, x, sizes, 0));
  const weighted = parts(b.mul(g, inputs.hidden, inputs.weights)); // [R, d]
  const weights = parts(inputs.weights); // [R, 1]
  const labels = parts(b.unsqueeze(g, inputs.labels, [1])); // [R, 1]
  const losses: Tensor[] = [];
  const hiddens: Tensor[] = [];
  let unembedding: Tensor | null = null;
  for (const [i, hidden] of parts(inputs.hidden).entries()) {
    const label = labels[i];
    const weight = weights[i];
    const scaled = weighted[i];
    invariant(label !== undefined && weight !== undefined && scaled !== undefined, 'blocks of equal number');
    const one = block(g, inputs.unembedding, hidden, label, weight);
    losses.push(one.loss);
    hiddens.push(one.hidden);
    // The product is added to what the blocks before gave, [V, d].
    unembedding = b.gemm(g, one.delta, scaled, unembedding, { transA: true });
  }
  invariant(unembedding !== null, 'at least one block');
  return {
    loss: losses.reduce((sum, x) => b.add(g, sum, x)),
    hidden: b.concat(g, hiddens, 0),
    unembedding,
  };
}

interface Block {
  readonly loss: Tensor;
  readonly hidden: Tensor;
  /** P − Y, [R, V]. */
  readonly delta: Tensor;
}

function block(g: Graph, unembedding: Tensor, hidden: Tensor, label: Tensor, weight: Tensor): Block {
  const logits = b.gemm(g, hidden, unembedding, null, { transB: true }); // [R, V]
  const p = b.softmax(g, logits); // [R, V]
  const largest = g.op('ReduceMax', [logits, g.ints([1])], { keepdims: 1 }); // [R, 1]
  const likeliest = g.op('ReduceMax', [p, g.ints([1])], { keepdims: 1 }); // [R, 1]
  const own = g.op('GatherElements', [logits, label], { axis: 1 }); // [R, 1]
  const losses = b.sub(g, b.sub(g, largest, b.log(g, likeliest)), own); // [R, 1]
  const ownP = g.op('GatherElements', [p, label], { axis: 1 }); // [R, 1]
  const delta = g.op('ScatterElements', [p, label, b.sub(g, ownP, 1)], { axis: 1 }); // [R, V]
  return {
    loss: b.reduceSum(g, b.mul(g, losses, weight), [0, 1], false),
    hidden: b.mul(g, b.gemm(g, delta, unembedding, null), weight), // [R, d]
    delta,
  };
}
