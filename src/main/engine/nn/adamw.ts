import type { TrainingConfig } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';

/** Constants of the optimiser (Loshchilov & Hutter 2019, algorithm 2). */
export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/**
 * One AdamW step over n values, element by element, as PyTorch computes it:
 * p ← p·keep, m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − step·m / (√v·root + ε).
 * Inputs [n]: `p`, `gradient`, `m`, `v`; scalars: `scale` (clipping; multiplies the gradient), `keep` =
 * 1 − rate·decay, `step` = rate / (1 − β₁ᵗ), `root` = 1/√(1 − β₂ᵗ) at step t from 1. Outputs: the new
 * `p_out`, `m_out`, `v_out`. Elementwise throughout, so that each output may be written over its input.
 */
export function adamwGraph(options: AdamWOptions): Graph {
  const g = new Graph('adamw');
  const values = (name: string): ReturnType<Graph['input']> => g.input(name, 'float32', ['n']);
  const scalar = (name: string): ReturnType<Graph['input']> => g.input(name, 'float32', []);
  const [p, raw, m, v] = [values('p'), values('gradient'), values('m'), values('v')];
  const [scale, keep, step, root] = [scalar('scale'), scalar('keep'), scalar('step'), scalar('root')];
  const after = adamwUpdate(g, options, { p, gradient: raw, m, v }, { scale, keep, step, root });
  g.output('p_out', after.p);
  g.output('m_out', after.m);
  g.output('v_out', after.v);
  return g;
}

/** A parameter and both its moments, all of one shape. */
export interface AdamWState {
  readonly p: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
}

/** The same step as part of a graph; `keep` null where weight decay does not act. */
export function adamwUpdate(
  g: Graph,
  options: AdamWOptions,
  { p, gradient: raw, m, v }: AdamWState & { readonly gradient: Tensor },
  by: {
    readonly scale: Tensor;
    readonly keep: Tensor | null;
    readonly step: Tensor;
    readonly root: Tensor;
  },
): AdamWState {
  // What is one number is worked out first: every pass over all values counts.
  const share = b.mul(g, by.scale, 1 - options.beta1);
  const square = b.mul(g, b.mul(g, by.scale, by.scale), 1 - options.beta2);
  const first = b.add(g, b.mul(g, m, options.beta1), b.mul(g, raw, share));
  const second = b.add(g, b.mul(g, v, options.beta2), b.mul(g, b.mul(g, raw, raw), square));
  const denominator = b.add(g, b.mul(g, b.sqrt(g, second), by.root), options.epsilon);
  const update = b.mul(g, b.div(g, first, denominator), by.step);
  return { p: b.sub(g, by.keep === null ? p : b.mul(g, p, by.keep), update), m: first, v: second };
}

/** The scalars of step t (from 1) at a learning rate, decoupled decay and clip factor. */
export function adamwScalars(
  options: AdamWOptions,
  t: number,
  rate: number,
  decay: number,
): { keep: number; step: number; root: number } {
  return {
    keep: 1 - rate * decay,
    step: rate / (1 - options.beta1 ** t),
    root: 1 / Math.sqrt(1 - options.beta2 ** t),
  };
}

/** PyTorch's `clip_grad_norm_`: min(1, ceiling / (norm + 1e-6)); a ceiling of 0 never clips. */
export function clipScale(norm: number, ceiling: number): number {
  return ceiling === 0 ? 1 : Math.min(1, ceiling / (norm + 1e-6));
}

/** Whether weight decay acts on a parameter of a shape. */
export const DECAYED: Readonly<Record<TrainingConfig['decay'], (shape: readonly number[]) => boolean>> = {
  /** transformers' Trainer leaves biases and norm gains (everything of rank 1) undecayed. */
  matrices: (shape) => shape.length >= 2,
  all: () => true,
};
