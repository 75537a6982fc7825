import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import { elements, shapeText, type Graph, type Shape, type Tensor } from '../graph/index.ts';
import { sameShape } from '../graph/shapes.ts';

/** The shape of x as an int64 vector: a constant when it is known, else read at run time. */
function shapeOf(g: Graph, x: Tensor): Tensor {
  return elements(x.shape) === undefined ? g.op('Shape', [x]) : g.ints(x.shape.map(Number));
}

export const zerosLike = (g: Graph, x: Tensor): Tensor =>
  g.op('ConstantOfShape', [shapeOf(g, x)], {}, x.shape);

/** x repeated along its axes of size 1 (and new leading ones) up to the shape of `like`. */
export function expandLike(g: Graph, x: Tensor, like: Tensor): Tensor {
  return sameShape(x.shape, like.shape) ? x : g.op('Expand', [x, shapeOf(g, like)], {}, like.shape);
}

export function reshapeLike(g: Graph, x: Tensor, like: Tensor): Tensor {
  return sameShape(x.shape, like.shape) ? x : g.op('Reshape', [x, shapeOf(g, like)], {}, like.shape);
}

/** Sum over leading axes; of a matrix's rows as a product with ones, which takes half the time of a reduction. */
function sumLeading(g: Graph, grad: Tensor, leading: readonly number[]): Tensor {
  const [rows, columns] = grad.shape;
  if (grad.shape.length !== 2 || leading.length !== 1 || typeof rows !== 'number' || columns === undefined)
    return b.reduceSum(g, grad, leading, false);
  return b.squeeze(g, b.matmul(g, g.ones(rows), grad), [0]);
}

/** Sums a cotangent over the axes along which an operand of the given shape was broadcast. */
export function fitTo(g: Graph, grad: Tensor, shape: Shape): Tensor {
  if (sameShape(grad.shape, shape)) return grad;
  const lead = grad.shape.length - shape.length;
  invariant(lead >= 0, `a gradient ${shapeText(grad.shape)} cannot be summed to ${shapeText(shape)}`);
  const leading = Array.from({ length: lead }, (_, i) => i);
  const inner: number[] = [];
  shape.forEach((d, i) => {
    const have = grad.shape[lead + i];
    if (d === have) return;
    invariant(d === 1, `a gradient ${shapeText(grad.shape)} cannot be summed to ${shapeText(shape)}`);
    inner.push(lead + i);
  });
  if (inner.length === 0) return sumLeading(g, grad, leading);
  const summed = b.reduceSum(g, grad, [...leading, ...inner]);
  return lead === 0 ? summed : b.squeeze(g, summed, leading);
}

/** Values of an int64 vector that is a constant of the graph. */
export function constantInts(g: Graph, x: Tensor | undefined, what: string): number[] {
  const init = x === undefined ? undefined : g.initializers.get(x.id);
  invariant(init?.kind === 'inline' && init.data instanceof BigInt64Array, `${what} must be a constant`);
  return Array.from(init.data, Number);
}

/** Last two axes exchanged. */
export function transposeLast(g: Graph, x: Tensor): Tensor {
  const r = x.shape.length;
  const perm = Array.from({ length: r }, (_, i) => (i === r - 1 ? r - 2 : i === r - 2 ? r - 1 : i));
  return b.transpose(g, x, perm);
}
