import * as b from '../../../src/main/engine/graph/builder.ts';
import type { Attrs, Graph, Shape, Tensor } from '../../../src/main/engine/graph/index.ts';

/**
 * One way of using an op: shapes of the float inputs that are differentiated, the values they are drawn from,
 * and the op built on them. Several outputs may be returned; each gets a random cotangent.
 */
export interface GradientCase {
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly build: (g: Graph, x: readonly Tensor[]) => Tensor[];
  /** Values are uniform in [low, high]; away from kinks and poles where the op has them. */
  readonly low?: number;
  readonly high?: number;
}

const on =
  (op: string, attrs: Attrs = {}, more: (g: Graph) => Tensor[] = () => []) =>
  (g: Graph, x: readonly Tensor[]): Tensor[] => [g.op(op, [...x, ...more(g)], attrs)];
const unary = (op: string, low = -2, high = 2): GradientCase[] => [
  { name: 'plain', shapes: [[3, 4]], build: on(op), low, high },
];
const binary = (op: string, low = -2, high = 2): GradientCase[] => [
  {
    name: 'same shapes',
    shapes: [
      [3, 4],
      [3, 4],
    ],
    build: on(op),
    low,
    high,
  },
  { name: 'row broadcast', shapes: [[2, 3, 4], [4]], build: on(op), low, high },
  {
    name: 'column broadcast',
    shapes: [
      [3, 1],
      [2, 3, 4],
    ],
    build: on(op),
    low,
    high,
  },
  { name: 'scalar', shapes: [[], [2, 3]], build: on(op), low, high },
];
const reduction = (op: string): GradientCase[] => [
  { name: 'last axis kept', shapes: [[3, 4]], build: on(op, { keepdims: 1 }, (g) => [g.ints([-1])]) },
  { name: 'two axes dropped', shapes: [[2, 3, 2]], build: on(op, { keepdims: 0 }, (g) => [g.ints([0, 2])]) },
  { name: 'everything', shapes: [[3, 4]], build: on(op, { keepdims: 0 }) },
];
const ids = (g: Graph, shape: readonly number[], values: readonly number[]): Tensor =>
  g.constant(
    'ids',
    shape,
    BigInt64Array.from(values, (v) => BigInt(v)),
  );
const gemm = (transA: number, transB: number): GradientCase => ({
  name: `transA ${transA}, transB ${transB}`,
  shapes: [transA === 1 ? [4, 3] : [3, 4], transB === 1 ? [2, 4] : [4, 2], [2]],
  build: on('Gemm', { transA, transB }),
});

/** Every differentiable op; the test fails for an op of the table that is missing here. */
export const GRADIENT_CASES: Readonly<Record<string, readonly GradientCase[]>> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', 0.5, 2),
  Pow: [
    ...binary('Pow', 0.5, 2),
    {
      name: 'square of either sign',
      shapes: [[3, 4]],
      build: (g, x) => [g.op('Pow', [...x, g.scalar(2)])],
    },
  ],
  Max: binary('Max'),
  Min: binary('Min'),
  Identity: unary('Identity'),
  Neg: unary('Neg'),
  Abs: unary('Abs', 0.2, 2),
  Sqrt: unary('Sqrt', 0.3, 2),
  Reciprocal: unary('Reciprocal', 0.5, 2),
  Exp: unary('Exp'),
  Log: unary('Log', 0.5, 3),
  Tanh: unary('Tanh'),
  Erf: unary('Erf'),
  Sigmoid: unary('Sigmoid'),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Relu: [
    ...unary('Relu', 0.1, 2),
    { name: 'negative', shapes: [[5]], build: on('Relu'), low: -2, high: -0.1 },
  ],
  Gelu: [
    { name: 'tanh', shapes: [[3, 4]], build: on('Gelu', { approximate: 'tanh' }), low: -4, high: 4 },
    { name: 'exact', shapes: [[3, 4]], build: on('Gelu', { approximate: 'none' }), low: -4, high: 4 },
  ],
  Where: [
    {
      name: 'broadcast condition',
      shapes: [[2, 3], [3]],
      build: (g, x) => [g.op('Where', [g.constant('c', [2, 1], Uint8Array.of(1, 0)), ...x])],
    },
  ],
  ReduceSum: reduction('ReduceSum'),
  ReduceMean: reduction('ReduceMean'),
  ReduceMax: reduction('ReduceMax'),
  ReduceSumSquare: reduction('ReduceSumSquare'),
  ReduceLogSumExp: reduction('ReduceLogSumExp'),
  Softmax: [
    { name: 'last axis', shapes: [[2, 3, 4]], build: on('Softmax', { axis: -1 }) },
    { name: 'middle axis', shapes: [[2, 3, 4]], build: on('Softmax', { axis: 1 }) },
  ],
  LogSoftmax: [
    { name: 'last axis', shapes: [[3, 4]], build: on('LogSoftmax', { axis: -1 }) },
    { name: 'first axis', shapes: [[3, 4]], build: on('LogSoftmax', { axis: 0 }) },
  ],
  FusedMatMul: [
    {
      name: 'second factor transposed',
      shapes: [
        [2, 3, 4],
        [2, 5, 4],
      ],
      build: on('FusedMatMul', { transB: 1 }),
    },
    {
      name: 'broadcast batch',
      shapes: [
        [2, 2, 3, 4],
        [2, 1, 5, 4],
      ],
      build: on('FusedMatMul', { transB: 1 }),
    },
  ],
  MatMul: [
    {
      name: 'matrices',
      shapes: [
        [3, 4],
        [4, 2],
      ],
      build: on('MatMul'),
    },
    {
      name: 'batched',
      shapes: [
        [2, 3, 4],
        [2, 4, 2],
      ],
      build: on('MatMul'),
    },
    {
      name: 'one matrix for a batch',
      shapes: [
        [2, 2, 3, 4],
        [4, 2],
      ],
      build: on('MatMul'),
    },
    {
      name: 'broadcast batch',
      shapes: [
        [1, 3, 4],
        [2, 4, 2],
      ],
      build: on('MatMul'),
    },
  ],
  Gemm: [
    gemm(0, 0),
    gemm(0, 1),
    gemm(1, 0),
    gemm(1, 1),
    {
      name: 'no bias',
      shapes: [
        [3, 4],
        [4, 2],
      ],
      build: on('Gemm', { transA: 0, transB: 0 }),
    },
    {
      name: 'full bias',
      shapes: [
        [3, 4],
        [4, 2],
        [3, 2],
      ],
      build: on('Gemm', { transA: 0, transB: 0 }),
    },
  ],
  LayerNormalization: [
    {
      name: 'last axis',
      shapes: [[3, 5], [5], [5]],
      build: (g, x) => g.nodeOf('LayerNormalization', x, { axis: -1, epsilon: { float: 1e-5 } }).slice(0, 1),
    },
    {
      name: 'three axes',
      shapes: [[2, 2, 5], [5], [5]],
      build: (g, x) => g.nodeOf('LayerNormalization', x, { axis: -1, epsilon: { float: 1e-5 } }).slice(0, 1),
    },
  ],
  Transpose: [{ name: 'three axes', shapes: [[2, 3, 4]], build: on('Transpose', { perm: [2, 0, 1] }) }],
  Reshape: [{ name: 'flatten', shapes: [[2, 3, 4]], build: (g, x) => x.map((t) => b.reshape(g, t, [6, 4])) }],
  Unsqueeze: [
    { name: 'two axes', shapes: [[2, 3]], build: (g, x) => x.map((t) => b.unsqueeze(g, t, [0, 2])) },
  ],
  Squeeze: [{ name: 'inner axis', shapes: [[2, 1, 3]], build: (g, x) => x.map((t) => b.squeeze(g, t, [1])) }],
  Expand: [
    {
      name: 'new and stretched axes',
      shapes: [[3, 1]],
      build: (g, x) => [g.op('Expand', [...x, g.ints([2, 3, 4])], {}, [2, 3, 4])],
    },
  ],
  Slice: [
    { name: 'middle', shapes: [[2, 5]], build: (g, x) => x.map((t) => b.slice(g, t, 1, 1, 4)) },
    { name: 'from the end', shapes: [[4, 3]], build: (g, x) => x.map((t) => b.slice(g, t, 0, -2, 9)) },
  ],
  Concat: [
    {
      name: 'three parts',
      shapes: [
        [2, 1],
        [2, 3],
        [2, 2],
      ],
      build: (g, x) => [b.concat(g, x, 1)],
    },
  ],
  Split: [
    {
      name: 'all parts used',
      shapes: [[2, 6]],
      build: (g, x) => x.flatMap((t) => b.split(g, t, [1, 2, 3], 1)),
    },
    {
      name: 'one part unused',
      shapes: [[2, 6]],
      build: (g, x) => x.flatMap((t) => b.split(g, t, [1, 2, 3], -1).slice(1)),
    },
  ],
  Trilu: [
    { name: 'lower', shapes: [[3, 3]], build: on('Trilu', { upper: 0 }) },
    { name: 'above the diagonal', shapes: [[3, 4]], build: on('Trilu', { upper: 1 }, (g) => [g.int(1)]) },
  ],
  Gather: [
    {
      name: 'rows, repeated',
      shapes: [[4, 3]],
      build: (g, x) => x.map((t) => b.gather(g, t, ids(g, [2, 3], [0, 3, 0, 1, 1, 0]))),
    },
    {
      name: 'inner axis',
      shapes: [[2, 4, 3]],
      build: (g, x) => x.map((t) => b.gather(g, t, ids(g, [3], [2, -1, 2]), 1)),
    },
    {
      name: 'all rows, over and over',
      shapes: [[3, 2]],
      build: (g, x) => x.map((t) => b.gather(g, t, ids(g, [6], [0, 1, 2, 0, 1, 2]))),
    },
    {
      name: 'the first rows, over and over, of a matrix used elsewhere too',
      shapes: [[4, 2]],
      build: (g, x) => x.flatMap((t) => [b.mul(g, t, t), b.gather(g, t, ids(g, [6], [0, 1, 0, 1, 0, 1]))]),
    },
    {
      name: 'rows that begin again out of step',
      shapes: [[3, 2]],
      build: (g, x) => x.map((t) => b.gather(g, t, ids(g, [6], [0, 1, 2, 0, 1, 1]))),
    },
    {
      name: 'rows of a matrix used elsewhere too',
      shapes: [[4, 3]],
      build: (g, x) =>
        x.flatMap((t) => [
          b.mul(g, t, t),
          b.gather(g, t, ids(g, [3], [2, 0, 2])),
          b.gather(g, t, ids(g, [2], [1, 2])),
        ]),
    },
  ],
  GatherElements: [
    {
      name: 'columns, repeated',
      shapes: [[2, 4]],
      build: (g, x) => [g.op('GatherElements', [...x, ids(g, [2, 3], [0, 0, 3, 1, 2, 1])], { axis: 1 })],
    },
  ],
  ScatterElements: [
    {
      name: 'overwrite',
      shapes: [
        [2, 4],
        [2, 2],
      ],
      build: (g, [x, u]) => [
        g.op(
          'ScatterElements',
          [x, ids(g, [2, 2], [0, 3, 1, 2]), u].flatMap((t) => t ?? []),
          { axis: 1 },
        ),
      ],
    },
    {
      name: 'add, repeated',
      shapes: [
        [2, 4],
        [2, 2],
      ],
      build: (g, [x, u]) => [
        g.op(
          'ScatterElements',
          [x, ids(g, [2, 2], [3, 3, 1, 2]), u].flatMap((t) => t ?? []),
          { axis: 1, reduction: 'add' },
        ),
      ],
    },
  ],
  ScatterND: [
    {
      name: 'overwrite rows',
      shapes: [
        [4, 3],
        [2, 3],
      ],
      build: (g, [x, u]) => [
        g.op(
          'ScatterND',
          [x, ids(g, [2, 1], [2, 0]), u].flatMap((t) => t ?? []),
        ),
      ],
    },
  ],
  TopK: [
    {
      name: 'two largest',
      shapes: [[2, 5]],
      build: (g, x) => g.nodeOf('TopK', [...x, g.ints([2])], { axis: -1 }).slice(0, 1),
    },
  ],
};
