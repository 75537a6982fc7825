import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import type { Tap, Weights } from './family.ts';
import type { Norm } from './norms.ts';

/** A norm whose weights have a name: x [N, d] → [N, d]; `point` names its taps (`ln1`, `ln2`, `ln_final`). */
export type NamedNorm = (g: Graph, w: Weights, name: string, x: Tensor, point: string, tap?: Tap) => Tensor;

/** Weights `NAME.weight` and, with `bias`, `NAME.bias`. */
export function namedNorm(norm: Norm, epsilon: number, bias: boolean): NamedNorm {
  return (g, w, name, x, point, tap) => {
    const weights = { gain: w(`${name}.weight`), bias: bias ? w(`${name}.bias`) : null };
    return norm(g, x, weights, epsilon, tap && { tap, point });
  };
}

/** PyTorch's `Linear` `NAME`, weights [out, in]: x [N, in] → [N, out]. */
export const linear = (g: Graph, w: Weights, name: string, x: Tensor, bias: boolean): Tensor =>
  b.gemm(g, x, w(`${name}.weight`), bias ? w(`${name}.bias`) : null, { transB: true });

/** Leaves every value as it is. */
export const NO_TAP: Tap = (_, x) => x;
