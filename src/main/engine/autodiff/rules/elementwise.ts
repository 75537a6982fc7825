import * as b from '../../graph/builder.ts';
import type { Graph, Tensor } from '../../graph/index.ts';
import type { Rule, VjpContext, VjpTable } from '../types.ts';

/** A rule from the local derivative: dy · f′. */
const local =
  (derivative: (c: VjpContext) => Tensor): Rule =>
  (c) =>
    b.mul(c.g, c.dy(0), derivative(c));

/** 1 where `winner` is the larger, ½ where both are equal (the subgradient in the middle). */
function share(g: Graph, winner: Tensor, other: Tensor): Tensor {
  const wins = b.cast(g, g.op('Greater', [winner, other]), 'float32');
  const ties = b.cast(g, b.equal(g, winner, other), 'float32');
  return b.add(g, wins, b.mul(g, ties, 0.5));
}

const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * Derivative of tanh-GELU (Hendrycks & Gimpel 2016, eq. 2). With z = 2√(2/π)(x + 0.044715x³) the function
 * is y = x·σ(z), since ½(1 + tanh u) = σ(2u); so f′ = σ(z) + y·(1 − σ(z))·z′. Both z/x and z′ are linear in x².
 */
function tanhGeluDerivative(g: Graph, x: Tensor, y: Tensor): Tensor {
  const slope = 2 * SQRT_2_OVER_PI;
  const cubic = b.mul(g, b.mul(g, x, x), slope * CUBIC);
  const s = g.op('Sigmoid', [b.mul(g, x, b.add(g, cubic, slope))]);
  const steep = b.add(g, b.mul(g, cubic, 3), slope); // z′
  return b.add(g, s, b.mul(g, b.mul(g, y, b.sub(g, 1, s)), steep));
}

/** Derivative of x·Φ(x): Φ(x) + x·φ(x). */
function exactGeluDerivative(g: Graph, x: Tensor): Tensor {
  const cdf = b.mul(g, b.add(g, g.op('Erf', [b.mul(g, x, Math.SQRT1_2)]), 1), 0.5);
  const density = b.mul(g, b.exp(g, b.mul(g, b.mul(g, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return b.add(g, cdf, b.mul(g, x, density));
}

export const ELEMENTWISE: VjpTable = {
  Add: [(c) => c.dy(0), (c) => c.dy(0)],
  Sub: [(c) => c.dy(0), (c) => b.neg(c.g, c.dy(0))],
  Mul: [local((c) => c.x(1)), local((c) => c.x(0))],
  Div: [
    (c) => b.div(c.g, c.dy(0), c.x(1)),
    (c) => b.neg(c.g, b.div(c.g, b.mul(c.g, c.dy(0), c.y(0)), c.x(1))),
  ],
  /** The exponent's rule holds for positive bases. */
  Pow: [
    local((c) => b.mul(c.g, c.x(1), b.pow(c.g, c.x(0), b.sub(c.g, c.x(1), 1)))),
    local((c) => b.mul(c.g, c.y(0), b.log(c.g, c.x(0)))),
  ],
  Max: [local((c) => share(c.g, c.x(0), c.x(1))), local((c) => share(c.g, c.x(1), c.x(0)))],
  Min: [local((c) => share(c.g, c.x(1), c.x(0))), local((c) => share(c.g, c.x(0), c.x(1)))],
  Identity: [(c) => c.dy(0)],
  Neg: [(c) => b.neg(c.g, c.dy(0))],
  Abs: [local((c) => c.g.op('Sign', [c.x(0)]))],
  Sqrt: [(c) => b.div(c.g, b.mul(c.g, c.dy(0), 0.5), c.y(0))],
  Reciprocal: [(c) => b.neg(c.g, b.mul(c.g, c.dy(0), b.mul(c.g, c.y(0), c.y(0))))],
  Exp: [local((c) => c.y(0))],
  Log: [(c) => b.div(c.g, c.dy(0), c.x(0))],
  Tanh: [local((c) => b.sub(c.g, 1, b.mul(c.g, c.y(0), c.y(0))))],
  Erf: [local((c) => b.mul(c.g, b.exp(c.g, b.neg(c.g, b.mul(c.g, c.x(0), c.x(0)))), 2 / Math.sqrt(Math.PI)))],
  Sigmoid: [local((c) => b.mul(c.g, c.y(0), b.sub(c.g, 1, c.y(0))))],
  Sin: [local((c) => c.g.op('Cos', [c.x(0)]))],
  Cos: [(c) => b.neg(c.g, b.mul(c.g, c.dy(0), c.g.op('Sin', [c.x(0)])))],
  Relu: [(c) => b.where(c.g, c.g.op('Greater', [c.x(0), c.g.scalar(0)]), c.dy(0), 0)],
  Gelu: [
    local((c) =>
      c.node.attrs['approximate'] === 'tanh'
        ? tanhGeluDerivative(c.g, c.x(0), c.y(0))
        : exactGeluDerivative(c.g, c.x(0)),
    ),
  ],
  Where: [null, (c) => b.where(c.g, c.x(0), c.dy(0), 0), (c) => b.where(c.g, c.x(0), 0, c.dy(0))],
};
