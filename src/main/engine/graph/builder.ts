import { invariant } from '../../../shared/errors/index.ts';
import type { Graph } from './graph.ts';
import { normalAxis, reshapeVector, sameShape } from './shapes.ts';
import { shapeText, type Dim, type Shape, type Tensor } from './types.ts';

type Operand = Tensor | number;

const lift = (g: Graph, x: Operand): Tensor => (typeof x === 'number' ? g.scalar(x) : x);

/** Thin, typed spellings of the ops. Every function appends to `g` and returns the result. */
export const add = (g: Graph, a: Operand, b: Operand): Tensor => g.op('Add', [lift(g, a), lift(g, b)]);
export const sub = (g: Graph, a: Operand, b: Operand): Tensor => g.op('Sub', [lift(g, a), lift(g, b)]);
export const mul = (g: Graph, a: Operand, b: Operand): Tensor => g.op('Mul', [lift(g, a), lift(g, b)]);
export const div = (g: Graph, a: Operand, b: Operand): Tensor => g.op('Div', [lift(g, a), lift(g, b)]);
export const pow = (g: Graph, a: Operand, b: Operand): Tensor => g.op('Pow', [lift(g, a), lift(g, b)]);
export const neg = (g: Graph, x: Tensor): Tensor => g.op('Neg', [x]);
export const exp = (g: Graph, x: Tensor): Tensor => g.op('Exp', [x]);
export const log = (g: Graph, x: Tensor): Tensor => g.op('Log', [x]);
export const sqrt = (g: Graph, x: Tensor): Tensor => g.op('Sqrt', [x]);

/** Matrix product over the last two axes, broadcasting the others: [.., m, k] × [.., k, n] → [.., m, n]. */
export const matmul = (g: Graph, a: Tensor, b: Tensor): Tensor => g.op('MatMul', [a, b]);

/** As `matmul` with the second factor given transposed: [.., m, k] × [.., n, k] → [.., m, n]. */
export const matmulTransposed = (g: Graph, a: Tensor, b: Tensor): Tensor =>
  g.op('FusedMatMul', [a, b], { transB: 1 });

/** a[m, k] × b[k, n] + bias[n]; either factor may be taken transposed. */
export function gemm(
  g: Graph,
  a: Tensor,
  b: Tensor,
  bias: Tensor | null,
  options: { transA?: boolean; transB?: boolean } = {},
): Tensor {
  const attrs = { transA: options.transA === true ? 1 : 0, transB: options.transB === true ? 1 : 0 };
  return g.op('Gemm', bias === null ? [a, b] : [a, b, bias], attrs);
}

export const transpose = (g: Graph, x: Tensor, perm: readonly number[]): Tensor =>
  g.op('Transpose', [x], { perm });

/** Same elements, row-major, in another shape; a named size not at its old index is inferred (one at most). */
export function reshape(g: Graph, x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  return g.op('Reshape', [x, g.ints(reshapeVector(x.shape, shape))], {}, shape);
}

export const unsqueeze = (g: Graph, x: Tensor, axes: readonly number[]): Tensor =>
  g.op('Unsqueeze', [x, g.ints(axes)]);
export const squeeze = (g: Graph, x: Tensor, axes: readonly number[]): Tensor =>
  g.op('Squeeze', [x, g.ints(axes)]);
export const concat = (g: Graph, xs: readonly Tensor[], axis: number): Tensor => g.op('Concat', xs, { axis });
export const split = (g: Graph, x: Tensor, sizes: readonly number[], axis: number): Tensor[] =>
  g.nodeOf('Split', [x, g.ints(sizes)], { axis });

/** Rows (or slices along `axis`) of x by index; negative indices count from the end. */
export const gather = (g: Graph, x: Tensor, index: Tensor, axis = 0): Tensor =>
  g.op('Gather', [x, index], { axis });

/** x[.., start:end, ..] along one axis; `end` may lie beyond the size only when that size is a number. */
export function slice(g: Graph, x: Tensor, axis: number, start: number, end: number, size?: Dim): Tensor {
  const a = normalAxis(axis, x.shape.length, 'Slice');
  const from = x.shape[a];
  let length: Dim | undefined = size;
  if (length === undefined) {
    invariant(
      typeof from === 'number',
      `Slice: the size along axis ${a} of ${shapeText(x.shape)} must be given`,
    );
    const lo = start < 0 ? from + start : start;
    const hi = end < 0 ? from + end : Math.min(end, from);
    length = Math.max(0, hi - lo);
  }
  const shape = x.shape.map((d, i) => (i === a ? length : d));
  return g.op('Slice', [x, g.ints([start]), g.ints([end]), g.ints([a])], {}, shape);
}

export function reduceSum(g: Graph, x: Tensor, axes: readonly number[], keepdims = true): Tensor {
  return g.op('ReduceSum', [x, g.ints(axes)], { keepdims: keepdims ? 1 : 0 });
}

export const reduceMean = (g: Graph, x: Tensor, axes: readonly number[]): Tensor =>
  g.op('ReduceMean', [x, g.ints(axes)], { keepdims: 1 });

export const softmax = (g: Graph, x: Tensor, axis = -1): Tensor => g.op('Softmax', [x], { axis });
export const where = (g: Graph, condition: Tensor, a: Operand, b: Operand): Tensor =>
  g.op('Where', [condition, lift(g, a), lift(g, b)]);
export const lessOrEqual = (g: Graph, a: Tensor, b: Tensor): Tensor => g.op('LessOrEqual', [a, b]);
export const equal = (g: Graph, a: Tensor, b: Tensor): Tensor => g.op('Equal', [a, b]);

/** TensorProto.DataType of onnx.proto. */
export const CAST_TO = { float32: 1, int64: 7, bool: 9, float16: 10 } as const;
export const cast = (g: Graph, x: Tensor, to: keyof typeof CAST_TO): Tensor =>
  g.op('Cast', [x], { to: CAST_TO[to] });

/** GELU; `tanh` is GPT-2's approximation (gelu_new), `none` the exact error-function form. */
export const gelu = (g: Graph, x: Tensor, approximate: 'tanh' | 'none'): Tensor =>
  g.op('Gelu', [x], { approximate });
