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
 * at a time. With P the softmax of the logits, Y the labels as unit rows and w the weights, ∂loss/∂logits =
 * w·(P − Y). Nothing wide is touched for w or Y: w multiplies the narrow factors, and Y's part of both
 * products is a row of the unembedding taken, or a row of w·hidden subtracted, per label.
 */
export function crossEntropyWithGradients(g: Graph, inputs: LossInputs): LossGradients {
  const { hidden, unembedding, weights } = inputs;
  const [N, d] = hidden.shape;
  const [V] = unembedding.shape;
  invariant(typeof N === 'number' && typeof V === 'number' && d !== undefined, 'the loss needs known sizes');
  const sizes = blockRows(N, V);
  const parts = (x: Tensor): Tensor[] => (sizes.length === 1 ? [x] : b.split(g, x, sizes, 0));
  const labels = b.unsqueeze(g, inputs.labels, [1]); // [N, 1]
  const weighted = b.mul(g, hidden, weights); // [N, d]
  const [scaled, label] = [parts(weighted), parts(labels)];
  const losses: Tensor[] = [];
  const expected: Tensor[] = [];
  let predicted: Tensor | null = null;
  for (const [i, rows] of parts(hidden).entries()) {
    const [target, weight] = [label[i], scaled[i]];
    invariant(target !== undefined && weight !== undefined, 'blocks of equal number');
    const one = block(g, unembedding, rows, target);
    losses.push(one.nll);
    expected.push(b.gemm(g, one.p, unembedding, null)); // [R, d]
    // The product is added to what the blocks before gave.
    predicted = b.gemm(g, one.p, weight, predicted, { transA: true }); // [V, d]
  }
  invariant(predicted !== null, 'at least one block');
  const own = b.gather(g, unembedding, inputs.labels); // [N, d]
  const rowsOfLabels = g.op('Expand', [labels, g.ints([N, Number(d)])], {}, [N, d]);
  return {
    loss: b.reduceSum(g, b.mul(g, b.concat(g, losses, 0), weights), [0, 1], false),
    hidden: b.mul(g, b.sub(g, b.concat(g, expected, 0), own), weights),
    unembedding: g.op('ScatterElements', [predicted, rowsOfLabels, b.neg(g, weighted)], {
      axis: 0,
      reduction: 'add',
    }),
  };
}

/**
 * Softmax and negative log-likelihoods of one block. log Σ exp is read off the softmax itself: the largest
 * logit less the log of the largest probability.
 */
function block(
  g: Graph,
  unembedding: Tensor,
  hidden: Tensor,
  label: Tensor,
): { readonly p: Tensor; readonly nll: Tensor } {
  const logits = b.gemm(g, hidden, unembedding, null, { transB: true }); // [R, V]
  const p = b.softmax(g, logits); // [R, V]
  const largest = g.op('ReduceMax', [logits, g.ints([1])], { keepdims: 1 }); // [R, 1]
  const likeliest = g.op('ReduceMax', [p, g.ints([1])], { keepdims: 1 }); // [R, 1]
  const own = g.op('GatherElements', [logits, label], { axis: 1 }); // [R, 1]
  return { p, nll: b.sub(g, b.sub(g, largest, b.log(g, likeliest)), own) };
}
