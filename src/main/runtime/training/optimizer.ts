import { adamwGraph, adamwScalars, type AdamWOptions } from '../../engine/nn/adamw.ts';
import { f32, scalarOf, type Session, type SessionFactory, type Value } from '../sessions.ts';
import type { Group, ParameterStore } from './parameters.ts';

/** Values updated in one run: few enough to stay in the processor's cache. */
const CHUNK = 2 ** 18;

export interface OptimizerStep {
  /** Number of this step, from 1. */
  readonly t: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Factor of the gradients (clipping). */
  readonly scale: number;
}

/** AdamW over a parameter store, in place. */
export class AdamW {
  readonly #options: AdamWOptions;
  readonly #session: Session;

  private constructor(options: AdamWOptions, session: Session) {
    this.#options = options;
    this.#session = session;
  }

  static async open(sessions: SessionFactory, options: AdamWOptions): Promise<AdamW> {
    return new AdamW(options, await sessions.open(adamwGraph(options)));
  }

  async step(store: ParameterStore, how: OptimizerStep): Promise<void> {
    for (const group of store.groups) await this.#group(store, group, how);
  }

  async #group(store: ParameterStore, group: Group, how: OptimizerStep): Promise<void> {
    const decay = group.decayed ? how.weightDecay : 0;
    const { keep, step, root } = adamwScalars(this.#options, how.t, how.learningRate, decay);
    const scalars = {
      scale: scalarOf(how.scale),
      keep: scalarOf(keep),
      step: scalarOf(step),
      root: scalarOf(root),
    };
    for (let from = group.from; from < group.to; from += CHUNK) {
      const to = Math.min(group.to, from + CHUNK);
      const part = (array: Float32Array): Value => f32(array.subarray(from, to), [to - from]);
      const p = part(store.values);
      const m = part(store.firstMoments);
      const v = part(store.secondMoments);
      const feeds = { ...scalars, p, m, v, gradient: part(store.gradients) };
      await this.#session.run(feeds, this.#session.outputs, { p_out: p, m_out: m, v_out: v });
    }
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** L2 norm of all gradients together, summed in double precision. */
export function gradientNorm(gradients: Float32Array): number {
  // Four sums side by side, because one waits for itself; by index, because an iterator takes ten times as long.
  const whole = gradients.length - (gradients.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < whole; i += 4) {
    const p = gradients[i] ?? 0;
    const q = gradients[i + 1] ?? 0;
    const r = gradients[i + 2] ?? 0;
    const s = gradients[i + 3] ?? 0;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (let i = whole; i < gradients.length; i++) a += (gradients[i] ?? 0) ** 2;
  return Math.sqrt(a + b + (c + d));
}

/** Adds one flat array to another, in place. */
export function addInto(total: Float32Array, part: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = (total[i] ?? 0) + (part[i] ?? 0);
}
