import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { loop } from '../graph/loop.ts';
import { adamwUpdate, DECAYED, type AdamWOptions, type AdamWState } from './adamw.ts';
import type { MaskInput } from './dropout.ts';
import { allFinite, nextScale } from './lossScale.ts';
import { toMixedPrecision } from './mixedPrecision.ts';
import { seededMask } from './seededMask.ts';
import {
  batchOf,
  lossAndGradients,
  type LossAndGradients,
  type TrainGraph,
  type TrainGraphOptions,
} from './trainGraph.ts';

export interface TrainLoopOptions extends TrainGraphOptions {
  /** Batches of one step at most; their gradients are added up. */
  readonly parts: number;
  readonly optimizer: AdamWOptions;
  /** Gradient-norm ceiling; 0 never clips. */
  readonly clip: number;
  readonly decay: TrainingConfig['decay'];
  readonly precision: TrainingConfig['precision'];
}

export const firstMoment = (parameter: string): string => `m:${parameter}`;
export const secondMoment = (parameter: string): string => `v:${parameter}`;
/** What a dropout mask is drawn from (`seededMask`). */
export const maskSeed = (mask: string): string => `seed:${mask}`;
/** An output that is the state `name` after the last step. */
export const afterwards = (name: string): string => `after:${name}`;

/** Per-step results in the order in which the loop stacks them. */
const STACKED = ['loss', 'norm', 'taken'] as const;

/** What scales a step: gathered by the number of steps taken so far. */
const SCALARS = ['keep', 'step', 'root'] as const;
type Scalars = Readonly<Record<(typeof SCALARS)[number], Tensor>>;

/**
 * Whole optimiser steps, one after the other, in one graph: forward and backward pass, gradient norm, clipping and
 * AdamW are the body of a `Loop` whose state are parameters and moments, so that nothing but batches goes in
 * between steps. Inputs: `steps` [], the number K of them; each batch input of `trainGraph` with a first axis over
 * all batches of all steps, and in the place of a dropout mask what it is drawn from, under `maskSeed`; where a step has several, `first` and `parts` [K] say which; `keep`, `step`, `root`
 * [K] of `adamwScalars`; parameters under their names, moments under `firstMoment` and `secondMoment`. Outputs:
 * `loss`, `norm` (before clipping) and `taken` (1, or 0 for a step that was skipped) [K]; the state under
 * `afterwards`.
 *
 * Mixed precision adds `scale` and `clean` [] of the loss scale to inputs and outputs. A step whose loss or
 * gradients are not finite changes no parameter and no moment, and uses up no entry of the scalars: as with
 * transformers' Trainer, neither bias correction nor learning rate move on.
 */
export function trainLoop(options: TrainLoopOptions): TrainGraph {
  const { parameters, precision, batch, length } = options;
  const mixed = precision === 'mixed-f16';
  const g = new Graph(`train_loop_${batch}x${length}`);
  const steps = g.input('steps', 'int64', []);
  const state = parameters.map(({ name, shape }): AdamWState => ({
    p: g.input(name, 'float32', shape),
    m: g.input(firstMoment(name), 'float32', shape),
    v: g.input(secondMoment(name), 'float32', shape),
  }));
  const perStep = (name: string, dtype: 'float32' | 'int64'): Tensor => g.input(name, dtype, ['K']);
  const scalars = SCALARS.map((name) => perStep(name, 'float32'));
  const spans = options.parts > 1 ? [perStep('first', 'int64'), perStep('parts', 'int64')] : [];
  const scaling = mixed ? [g.input('scale', 'float32', []), g.input('clean', 'float32', [])] : [];
  let masks: readonly MaskInput[] = [];
  const result = loop(g, {
    name: 'step',
    trips: steps,
    size: 'K',
    state: [...state.flatMap(({ p, m, v }) => [p, m, v]), ...scaling, ...(mixed ? [g.int(0)] : [])],
    body: ({ g: inner, iteration, state: begun }) => {
      const now = unflatten(begun, parameters.length);
      const [scale, clean, taken] = begun.slice(3 * parameters.length);
      const made = stepGradients(inner, g, options, now, { iteration, spans, scale: scale ?? null });
      masks = made.masks;
      const index = taken ?? iteration;
      const pick = (i: number): Tensor => {
        const stacked = scalars[i];
        invariant(stacked !== undefined, 'a scalar per step');
        return b.gather(inner, inner.outer(stacked), index);
      };
      const by: Scalars = { keep: pick(0), step: pick(1), root: pick(2) };
      const squares = sumOfSquares(inner, made.gradients);
      const factor = scale ?? null;
      const norm = unscaled(inner, b.sqrt(inner, squares), factor);
      const after = updated(
        inner,
        options,
        now,
        made.gradients,
        by,
        clipping(inner, options.clip, norm, factor),
      );
      const flat = after.flatMap(({ p, m, v }) => [p, m, v]);
      if (scale === undefined || clean === undefined || taken === undefined) {
        return { state: flat, stacked: [made.loss, norm, b.cast(inner, going(inner), 'float32')] };
      }
      const finite = allFinite(inner, [made.loss, squares]);
      const before = now.flatMap(({ p, m, v }) => [p, m, v]);
      const kept = flat.map((t, i) => b.where(inner, finite, t, before[i] ?? t));
      const next = nextScale(inner, finite, { scale, clean });
      const count = b.add(inner, taken, b.cast(inner, finite, 'int64'));
      return {
        state: [...kept, next.scale, next.clean, count],
        stacked: [made.loss, norm, b.cast(inner, finite, 'float32')],
      };
    },
  });
  const names = [
    ...parameters.flatMap(({ name }) => [name, firstMoment(name), secondMoment(name)]),
    ...scaling.map((t) => t.name),
  ];
  names.forEach((name, i) => {
    const tensor = result.state[i];
    invariant(tensor !== undefined, `the loop gives ${name}`);
    g.output(afterwards(name), tensor);
  });
  STACKED.forEach((name, i) => {
    const tensor = result.stacked[i];
    invariant(tensor !== undefined, `the loop gives ${name}`);
    g.output(name, tensor);
  });
  return { graph: g, masks };
}

/** True: without a loss scale every step is taken. */
const going = (g: Graph): Tensor => g.constant('always_taken', [], Uint8Array.of(1));

function unflatten(flat: readonly Tensor[], count: number): AdamWState[] {
  return Array.from({ length: count }, (_, i) => {
    const [p, m, v] = flat.slice(3 * i, 3 * i + 3);
    invariant(p !== undefined && m !== undefined && v !== undefined, 'a parameter and its moments');
    return { p, m, v };
  });
}

interface StepPlace {
  readonly iteration: Tensor;
  /** First batch and number of batches of each step, of the whole graph; none where each step is one batch. */
  readonly spans: readonly Tensor[];
  readonly scale: Tensor | null;
}

/** Loss and gradients of one step: of its batch, or summed over its batches by a loop within the loop. */
function stepGradients(
  g: Graph,
  whole: Graph,
  options: TrainLoopOptions,
  now: readonly AdamWState[],
  { iteration, spans, scale }: StepPlace,
): LossAndGradients {
  const [first, parts] = spans;
  if (first === undefined || parts === undefined) {
    const parameters = now.map(({ p }) => p);
    return batchGradients(
      g,
      options,
      parameters,
      scale,
      stackedInput(g, whole, iteration, (t) => g.outer(t)),
    );
  }
  const of = (stacked: Tensor): Tensor => b.gather(g, g.outer(stacked), iteration);
  const [from, trips] = [of(first), of(parts)];
  const zero = (shape: readonly number[]): Tensor =>
    shape.length === 0 ? g.scalar(0) : g.op('Expand', [g.scalar(0), g.ints(shape)], {}, shape);
  let masks: readonly MaskInput[] = [];
  const sums = loop(g, {
    name: 'part',
    trips,
    size: 'parts',
    state: [zero([]), ...options.parameters.map(({ shape }) => zero(shape))],
    body: ({ g: inner, iteration: part, state }) => {
      const at = b.add(inner, inner.outer(from), part);
      const input = stackedInput(inner, whole, at, (t) => inner.outer(g.outer(t)));
      const parameters = now.map(({ p }) => inner.outer(p));
      const made = batchGradients(inner, options, parameters, scale && inner.outer(scale), input);
      masks = made.masks;
      const gains = [made.loss, ...made.gradients];
      return { state: state.map((sum, i) => b.add(inner, sum, gains[i] ?? sum)), stacked: [] };
    },
  });
  const [loss, ...gradients] = sums.state;
  invariant(loss !== undefined, 'the loss of a step');
  return { loss, gradients, masks };
}

/** Inputs of a batch's graph: the batch at an index of inputs of the whole graph that hold all batches. */
function stackedInput(
  g: Graph,
  whole: Graph,
  index: Tensor,
  here: (tensor: Tensor) => Tensor,
): Graph['input'] {
  return (name, dtype, shape) => b.gather(g, here(whole.input(name, dtype, ['batches', ...shape])), index);
}

function batchGradients(
  g: Graph,
  options: TrainLoopOptions,
  parameters: readonly Tensor[],
  scale: Tensor | null,
  input: Graph['input'],
): LossAndGradients {
  const batch = batchOf(options.batch, options.length, input);
  const made = lossAndGradients(g, options, batch, parameters, input, {
    lossScale: scale,
    maskSource: ({ name, shape }) =>
      seededMask(g, input(maskSeed(name), 'int64', []), shape, options.dropout),
  });
  if (options.precision === 'mixed-f16') toMixedPrecision(g);
  return made;
}

const sumOfSquares = (g: Graph, tensors: readonly Tensor[]): Tensor =>
  tensors.map((t) => g.op('ReduceSumSquare', [t], { keepdims: 0 })).reduce((sum, t) => b.add(g, sum, t));

const unscaled = (g: Graph, x: Tensor, scale: Tensor | null): Tensor =>
  scale === null ? x : b.div(g, x, scale);

/** The factor of the gradients: `clipScale`, and the loss scale taken off again. */
function clipping(g: Graph, ceiling: number, norm: Tensor, scale: Tensor | null): Tensor {
  const one = g.scalar(1);
  const ratio = b.div(g, g.scalar(ceiling), b.add(g, norm, 1e-6));
  const factor = ceiling === 0 ? one : g.op('Min', [one, ratio]);
  return unscaled(g, factor, scale);
}

function updated(
  g: Graph,
  { parameters, optimizer, decay }: TrainLoopOptions,
  now: readonly AdamWState[],
  gradients: readonly Tensor[],
  by: Scalars,
  scale: Tensor,
): AdamWState[] {
  return now.map((state, i) => {
    const [gradient, parameter] = [gradients[i], parameters[i]];
    invariant(gradient !== undefined && parameter !== undefined, 'a gradient per parameter');
    const keep = DECAYED[decay](parameter.shape) ? by.keep : null;
    return adamwUpdate(g, optimizer, { ...state, gradient }, { ...by, keep, scale });
  });
}
