import { invariant } from '../../../shared/errors/index.ts';
import { Graph } from './graph.ts';
import type { Dim, Tensor, TensorType } from './types.ts';

/** What a loop's body begins with. */
export interface LoopBody {
  readonly g: Graph;
  /** Number of the iteration from 0, int64 []. */
  readonly iteration: Tensor;
  /** What the iteration before left, or what the loop began with. */
  readonly state: readonly Tensor[];
}

/** What one iteration gives, as tensors of the body. */
export interface LoopStep {
  /** In number, type and shape as the state it began with. */
  readonly state: readonly Tensor[];
  /** Stacked over the iterations. */
  readonly stacked: readonly Tensor[];
}

export interface LoopOptions {
  /** Unique among the loops around it and beside it: goes before the names of its tensors. */
  readonly name: string;
  /** Number of iterations, int64 [], known when the graph runs. */
  readonly trips: Tensor;
  /** The same number as a size: the first axis of what is stacked. */
  readonly size: Dim;
  readonly state: readonly Tensor[];
  readonly body: (body: LoopBody) => LoopStep;
}

export interface LoopResult {
  /** State after the last iteration. */
  readonly state: readonly Tensor[];
  readonly stacked: readonly Tensor[];
}

/**
 * Appends ONNX's `Loop`: runs a body a number of times, each iteration beginning with the state that the one
 * before left. The body reads tensors of the graph around it through `g.outer`.
 */
export function loop(g: Graph, { name, trips, size, state, body }: LoopOptions): LoopResult {
  const inner = new Graph(name, `${name}/`);
  const iteration = inner.input('iteration', 'int64', []);
  const going = inner.input('going', 'bool', []);
  const begun = state.map((t: TensorType, i) => inner.input(`state_${i}`, t.dtype, t.shape));
  const step = body({ g: inner, iteration, state: begun });
  invariant(step.state.length === state.length, `loop ${name}: ${step.state.length} states after it`);
  inner.output('going_on', going);
  step.state.forEach((t, i) => inner.output(`state_${i}_after`, t));
  step.stacked.forEach((t, i) => inner.output(`stacked_${i}`, t));
  const always = g.constant(`${name}_always`, [], Uint8Array.of(1));
  const results = g.nodeOf('Loop', [trips, always, ...state], { body: { graph: inner } }, [size]);
  return { state: results.slice(0, state.length), stacked: results.slice(state.length) };
}
