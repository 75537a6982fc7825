import type { ModelConfig } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/** The nonlinearities of MLPs, element by element: one row each. */
export const ACTIVATIONS: Readonly<Record<ModelConfig['activation'], (g: Graph, x: Tensor) => Tensor>> = {
  /** Tanh approximation of GELU (Hendrycks & Gimpel 2016). */
  gelu_new: (g, x) => b.gelu(g, x, 'tanh'),
  gelu: (g, x) => b.gelu(g, x, 'none'),
  /** x·σ(x), also called swish. */
  silu: (g, x) => b.mul(g, x, g.op('Sigmoid', [x])),
  relu: (g, x) => g.op('Relu', [x]),
};
