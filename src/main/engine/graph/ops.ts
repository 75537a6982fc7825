import { invariant } from '../../../shared/errors/index.ts';
import { broadcast, normalAxis, sameShape, sumDims } from './shapes.ts';
import {
  shapeText,
  typeText,
  type Attrs,
  type Dim,
  type DType,
  type Shape,
  type TensorType,
} from './types.ts';

/** What inference may know of a node: types of its inputs, small constant inputs, attributes. */
export interface InferContext {
  readonly op: string;
  readonly inputs: readonly TensorType[];
  readonly attrs: Attrs;
  /** Values of an int64 input that is a constant of the graph. */
  readonly ints: (input: number) => readonly number[];
  /** The shape the builder asked for, where the op cannot tell it from its inputs (Reshape, Expand ...). */
  readonly wanted: Shape | undefined;
}

export interface OpDef {
  readonly inputs: readonly [min: number, max: number];
  readonly infer: (c: InferContext) => TensorType[];
}

const at = (c: InferContext, i: number): TensorType => {
  const t = c.inputs[i];
  invariant(t !== undefined, `${c.op}: input ${i} is missing`);
  return t;
};
const need = (c: InferContext, i: number, dtype: DType): TensorType => {
  const t = at(c, i);
  invariant(t.dtype === dtype, `${c.op}: input ${i} is ${typeText(t)}, not ${dtype}`);
  return t;
};
const sameTypes = (c: InferContext): DType => {
  const dtype = at(c, 0).dtype;
  for (const t of c.inputs) {
    invariant(t.dtype === dtype, `${c.op}: mixed types ${c.inputs.map(typeText).join(', ')}`);
  }
  return dtype;
};
const int = (c: InferContext, name: string, fallback?: number): number => {
  const v = c.attrs[name] ?? fallback;
  invariant(typeof v === 'number', `${c.op}: attribute ${name} is missing`);
  return v;
};
const intList = (c: InferContext, name: string): readonly number[] => {
  const v = c.attrs[name];
  invariant(Array.isArray(v), `${c.op}: attribute ${name} is missing`);
  return v as readonly number[]; // attribute lists hold numbers only
};
const wantedShape = (c: InferContext): Shape => {
  invariant(c.wanted !== undefined, `${c.op}: the result's shape must be given`);
  return c.wanted;
};

const unary: OpDef = { inputs: [1, 1], infer: (c) => [need(c, 0, 'float32')] };
const anyUnary: OpDef = { inputs: [1, 1], infer: (c) => [at(c, 0)] };
const binary: OpDef = {
  inputs: [2, 2],
  infer: (c) => [{ dtype: sameTypes(c), shape: broadcast(at(c, 0).shape, at(c, 1).shape, c.op) }],
};
const comparison: OpDef = {
  inputs: [2, 2],
  infer: (c) => {
    sameTypes(c);
    return [{ dtype: 'bool', shape: broadcast(at(c, 0).shape, at(c, 1).shape, c.op) }];
  },
};
/** Reduction whose axes are a second, constant input (ReduceSum from opset 13, the others from 18). */
const reduction: OpDef = {
  inputs: [1, 2],
  infer: (c) => {
    const x = at(c, 0);
    const keep = int(c, 'keepdims', 1) === 1;
    const axes = new Set(
      c.inputs.length > 1
        ? c.ints(1).map((a) => normalAxis(a, x.shape.length, c.op))
        : x.shape.map((_, i) => i),
    );
    const shape: Dim[] = [];
    x.shape.forEach((d, i) => {
      if (!axes.has(i)) shape.push(d);
      else if (keep) shape.push(1);
    });
    return [{ dtype: x.dtype, shape }];
  },
};
const alongAxis: OpDef = {
  inputs: [1, 1],
  infer: (c) => {
    const x = need(c, 0, 'float32');
    normalAxis(int(c, 'axis', -1), x.shape.length, c.op);
    return [x];
  },
};

function matmulShape(c: InferContext): Dim[] {
  const a = at(c, 0).shape;
  const b = at(c, 1).shape;
  invariant(a.length >= 2 && b.length >= 2, `${c.op}: ${shapeText(a)} × ${shapeText(b)} needs rank 2`);
  const [m, k] = a.slice(-2);
  const [k2, n] = b.slice(-2);
  invariant(k === k2, `${c.op}: inner sizes of ${shapeText(a)} × ${shapeText(b)} differ`);
  return [...broadcast(a.slice(0, -2), b.slice(0, -2), c.op), m ?? 1, n ?? 1];
}

/** a [.., m, k] × b [.., n, k] with the second factor's last two axes exchanged: [.., m, n]. */
function transposedProductShape(c: InferContext): Dim[] {
  const a = at(c, 0).shape;
  const b = at(c, 1).shape;
  invariant(int(c, 'transB', 0) === 1, `${c.op}: MatMul does what this does without transB`);
  const [m, k] = a.slice(-2);
  const [n, k2] = b.slice(-2);
  invariant(
    a.length >= 2 && b.length >= 2 && k === k2,
    `${c.op}: ${shapeText(a)} × ${shapeText(b)} transposed`,
  );
  return [...broadcast(a.slice(0, -2), b.slice(0, -2), c.op), m ?? 1, n ?? 1];
}

/**
 * Operators that are ONNX Runtime's own (domain `com.microsoft`, version 1), on every provider: its optimiser
 * makes them too, but only where it finds the pattern.
 */
export const RUNTIME_OPS: ReadonlySet<string> = new Set(['FusedMatMul']);

/** Every operator the engine writes: one row each. Names and meanings are ONNX's, opset 20. */
export const OPS: Readonly<Record<string, OpDef>> = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: binary,
  Max: binary,
  Min: binary,
  Equal: comparison,
  Less: comparison,
  LessOrEqual: comparison,
  Greater: comparison,
  And: binary,
  Or: binary,
  BitwiseAnd: binary,
  BitwiseXor: binary,
  Not: anyUnary,
  Identity: anyUnary,
  Neg: anyUnary,
  Abs: unary,
  Sign: unary,
  Sqrt: unary,
  Reciprocal: unary,
  Exp: unary,
  Log: unary,
  Tanh: unary,
  Erf: unary,
  Sigmoid: unary,
  Sin: unary,
  Cos: unary,
  Relu: unary,
  Gelu: unary,
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceMax: reduction,
  ReduceSumSquare: reduction,
  ReduceLogSumExp: reduction,
  MatMul: { inputs: [2, 2], infer: (c) => [{ dtype: sameTypes(c), shape: matmulShape(c) }] },
  FusedMatMul: { inputs: [2, 2], infer: (c) => [{ dtype: sameTypes(c), shape: transposedProductShape(c) }] },
  Gemm: {
    inputs: [2, 3],
    infer: (c) => {
      const a = at(c, 0).shape;
      const b = at(c, 1).shape;
      const [m, k] = int(c, 'transA', 0) === 1 ? [a[1], a[0]] : [a[0], a[1]];
      const [k2, n] = int(c, 'transB', 0) === 1 ? [b[1], b[0]] : [b[0], b[1]];
      invariant(
        a.length === 2 && b.length === 2 && k === k2,
        `Gemm: inner sizes of ${shapeText(a)} × ${shapeText(b)} differ`,
      );
      return [{ dtype: sameTypes(c), shape: [m ?? 1, n ?? 1] }];
    },
  },
  LayerNormalization: {
    inputs: [2, 3],
    infer: (c) => {
      const x = need(c, 0, 'float32');
      const axis = normalAxis(int(c, 'axis', -1), x.shape.length, c.op);
      const stat: TensorType = { dtype: 'float32', shape: x.shape.map((d, i) => (i < axis ? d : 1)) };
      return [x, stat, stat];
    },
  },
  Where: {
    inputs: [3, 3],
    infer: (c) => {
      need(c, 0, 'bool');
      const [p, a, b] = [at(c, 0), at(c, 1), at(c, 2)];
      invariant(a.dtype === b.dtype, `Where: ${typeText(a)} and ${typeText(b)} differ in type`);
      return [{ dtype: a.dtype, shape: broadcast(p.shape, broadcast(a.shape, b.shape, c.op), c.op) }];
    },
  },
  Cast: {
    inputs: [1, 1],
    infer: (c) => {
      const to = int(c, 'to');
      const dtype: DType | undefined = ({ 1: 'float32', 7: 'int64', 9: 'bool', 10: 'float16' } as const)[to];
      invariant(dtype !== undefined, `Cast: unknown target ${to}`);
      return [{ dtype, shape: at(c, 0).shape }];
    },
  },
  Transpose: {
    inputs: [1, 1],
    infer: (c) => {
      const x = at(c, 0);
      const perm = intList(c, 'perm');
      invariant(
        [...perm].sort((p, q) => p - q).every((p, i) => p === i) && perm.length === x.shape.length,
        `Transpose: [${perm.join(', ')}] is no permutation of ${shapeText(x.shape)}`,
      );
      return [{ dtype: x.dtype, shape: perm.map((p) => x.shape[p] ?? 1) }];
    },
  },
  Reshape: { inputs: [2, 2], infer: (c) => [{ dtype: at(c, 0).dtype, shape: wantedShape(c) }] },
  Expand: { inputs: [2, 2], infer: (c) => [{ dtype: at(c, 0).dtype, shape: wantedShape(c) }] },
  ConstantOfShape: { inputs: [1, 1], infer: (c) => [{ dtype: 'float32', shape: wantedShape(c) }] },
  Range: { inputs: [3, 3], infer: (c) => [{ dtype: sameTypes(c), shape: wantedShape(c) }] },
  Shape: { inputs: [1, 1], infer: (c) => [{ dtype: 'int64', shape: [at(c, 0).shape.length] }] },
  /** Zeros before and after every axis: `pads` lists all starts, then all ends. */
  Pad: { inputs: [2, 3], infer: (c) => [{ dtype: at(c, 0).dtype, shape: wantedShape(c) }] },
  Slice: { inputs: [3, 5], infer: (c) => [{ dtype: at(c, 0).dtype, shape: wantedShape(c) }] },
  Unsqueeze: {
    inputs: [2, 2],
    infer: (c) => {
      const x = at(c, 0);
      const rank = x.shape.length + c.ints(1).length;
      const axes = new Set(c.ints(1).map((a) => normalAxis(a, rank, c.op)));
      let next = 0;
      const shape = Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (x.shape[next++] ?? 1)));
      return [{ dtype: x.dtype, shape }];
    },
  },
  Squeeze: {
    inputs: [2, 2],
    infer: (c) => {
      const x = at(c, 0);
      const axes = new Set(c.ints(1).map((a) => normalAxis(a, x.shape.length, c.op)));
      for (const a of axes)
        invariant(x.shape[a] === 1, `Squeeze: axis ${a} of ${shapeText(x.shape)} is not 1`);
      return [{ dtype: x.dtype, shape: x.shape.filter((_, i) => !axes.has(i)) }];
    },
  },
  Concat: {
    inputs: [1, 64],
    infer: (c) => {
      const dtype = sameTypes(c);
      const first = at(c, 0).shape;
      const axis = normalAxis(int(c, 'axis'), first.length, c.op);
      for (const t of c.inputs) {
        invariant(
          t.shape.length === first.length && t.shape.every((d, i) => i === axis || d === first[i]),
          `Concat: ${c.inputs.map((x) => shapeText(x.shape)).join(' and ')} do not join along ${axis}`,
        );
      }
      const joined = sumDims(c.inputs.map((t) => t.shape[axis] ?? 0));
      return [{ dtype, shape: first.map((d, i) => (i === axis ? joined : d)) }];
    },
  },
  Split: {
    inputs: [2, 2],
    infer: (c) => {
      const x = at(c, 0);
      const axis = normalAxis(int(c, 'axis'), x.shape.length, c.op);
      const sizes = c.ints(1);
      const total = sizes.reduce((s, n) => s + n, 0);
      invariant(
        total === x.shape[axis],
        `Split: ${sizes.join('+')} is not axis ${axis} of ${shapeText(x.shape)}`,
      );
      return sizes.map((n) => ({ dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? n : d)) }));
    },
  },
  Gather: {
    inputs: [2, 2],
    infer: (c) => {
      const x = at(c, 0);
      const index = need(c, 1, 'int64');
      const axis = normalAxis(int(c, 'axis', 0), x.shape.length, c.op);
      return [
        { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...index.shape, ...x.shape.slice(axis + 1)] },
      ];
    },
  },
  GatherElements: {
    inputs: [2, 2],
    infer: (c) => [{ dtype: at(c, 0).dtype, shape: need(c, 1, 'int64').shape }],
  },
  GatherND: { inputs: [2, 2], infer: (c) => [{ dtype: at(c, 0).dtype, shape: wantedShape(c) }] },
  ScatterElements: { inputs: [3, 3], infer: (c) => [at(c, 0)] },
  ScatterND: { inputs: [3, 3], infer: (c) => [at(c, 0)] },
  Trilu: { inputs: [1, 2], infer: (c) => [at(c, 0)] },
  ArgMax: {
    inputs: [1, 1],
    infer: (c) => {
      const x = at(c, 0);
      const axis = normalAxis(int(c, 'axis', -1), x.shape.length, c.op);
      const keep = int(c, 'keepdims', 1) === 1;
      const shape = x.shape.flatMap((d, i) => (i === axis ? (keep ? [1] : []) : [d]));
      return [{ dtype: 'int64', shape }];
    },
  },
  /**
   * Inputs: trip count, condition, state. The body (attribute `body`) takes the iteration's number, the condition
   * and the state, and gives the condition, the state and what is stacked over the iterations, along a first axis
   * whose size is `wanted`.
   */
  Loop: {
    inputs: [2, Infinity],
    infer: (c) => {
      need(c, 0, 'int64');
      need(c, 1, 'bool');
      const body = c.attrs['body'];
      invariant(typeof body === 'object' && 'graph' in body, 'Loop: the body is missing');
      const state = c.inputs.slice(2);
      const [, ...results] = body.graph.outputs;
      const types = results.map(({ tensor }): TensorType => tensor);
      state.forEach((before, i) => {
        const after = types[i];
        invariant(
          after?.dtype === before.dtype && sameShape(after.shape, before.shape),
          `Loop: state ${i} is ${typeText(before)} before and ${after === undefined ? 'missing' : typeText(after)} after an iteration`,
        );
      });
      const stacked = types.slice(state.length);
      return [
        ...state,
        ...stacked.map(({ dtype, shape }) => ({ dtype, shape: [...wantedShape(c), ...shape] })),
      ];
    },
  },
  TopK: {
    inputs: [2, 2],
    infer: (c) => {
      const x = at(c, 0);
      const axis = normalAxis(int(c, 'axis', -1), x.shape.length, c.op);
      const shape = x.shape.map((d, i) => (i === axis ? (c.ints(1)[0] ?? 1) : d));
      return [
        { dtype: x.dtype, shape },
        { dtype: 'int64', shape },
      ];
    },
  },
};
