import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import { shapeText, type Tensor } from '../../graph/index.ts';
import { normalAxis } from '../../graph/shapes.ts';
import { constantInts, expandLike } from '../helpers.ts';
import type { VjpContext, VjpTable } from '../types.ts';

function axesOf(c: VjpContext): number[] {
  const rank = c.x(0).shape.length;
  if (c.node.inputs.length < 2) return Array.from({ length: rank }, (_, i) => i);
  return constantInts(c.g, c.node.inputs[1], `${c.node.op} axes`).map((a) => normalAxis(a, rank, c.node.op));
}

/** A tensor of the reduction's result shape with the reduced axes back as size 1. */
function kept(c: VjpContext, t: Tensor): Tensor {
  return c.attr('keepdims', 1) === 1 ? t : b.unsqueeze(c.g, t, axesOf(c));
}

/** How many elements each result is made of. */
function count(c: VjpContext): number {
  const { shape } = c.x(0);
  return axesOf(c).reduce((n, a) => {
    const d = shape[a];
    invariant(
      typeof d === 'number',
      `gradient of ${c.node.op}: axis ${a} of ${shapeText(shape)} must be known`,
    );
    return n * d;
  }, 1);
}

/** Equal shares of the cotangent to every element that attains the maximum. */
function maximumShare(c: VjpContext): Tensor {
  const hit = b.cast(c.g, b.equal(c.g, c.x(0), kept(c, c.y(0))), 'float32');
  const ties = b.reduceSum(c.g, hit, axesOf(c));
  return b.mul(c.g, hit, b.div(c.g, kept(c, c.dy(0)), ties));
}

const axis = (c: VjpContext): number => c.attr('axis', -1);

export const REDUCTIONS: VjpTable = {
  ReduceSum: [(c) => expandLike(c.g, kept(c, c.dy(0)), c.x(0)), null],
  ReduceMean: [(c) => expandLike(c.g, b.mul(c.g, kept(c, c.dy(0)), 1 / count(c)), c.x(0)), null],
  ReduceMax: [maximumShare, null],
  ReduceSumSquare: [(c) => b.mul(c.g, c.x(0), b.mul(c.g, kept(c, c.dy(0)), 2)), null],
  ReduceLogSumExp: [
    (c) => b.mul(c.g, kept(c, c.dy(0)), b.exp(c.g, b.sub(c.g, c.x(0), kept(c, c.y(0))))),
    null,
  ],
  /** y·(dy − Σ dy·y). */
  Softmax: [
    (c) => {
      const weighted = b.mul(c.g, c.dy(0), c.y(0));
      return b.sub(c.g, weighted, b.mul(c.g, c.y(0), b.reduceSum(c.g, weighted, [axis(c)])));
    },
  ],
  /** dy − softmax · Σ dy. */
  LogSoftmax: [
    (c) => b.sub(c.g, c.dy(0), b.mul(c.g, b.exp(c.g, c.y(0)), b.reduceSum(c.g, c.dy(0), [axis(c)]))),
  ],
};
