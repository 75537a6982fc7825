import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { EngineError } from '../../../shared/errors/index.ts';
import { clipScale } from '../../engine/nn/adamw.ts';
import { learningRate } from '../../engine/nn/schedule.ts';
import type { TokenBlock } from '../../models/index.ts';
import type { TrainDone } from '../api.ts';
import type { Crossings } from '../sessions.ts';
import { splitStep, type LossRules, type MicroBatch, type StepRows } from './batches.ts';
import type { LoopState } from './checkpoints.ts';
import type { GradientRunner } from './gradients.ts';
import { gradientNorm, type AdamW } from './optimizer.ts';
import type { ParameterStore } from './parameters.ts';

/** What one optimiser step gave. */
export interface StepResult {
  readonly loss: number;
  /** L2 norm of all gradients before clipping. */
  readonly norm: number;
  readonly rate: number;
  /** Whether parameters were changed; a loss scale that was too large makes a step go without effect. */
  readonly taken: boolean;
  readonly targets: number;
  readonly tokens: number;
  readonly seconds: number;
  /** Bytes that went in and out of runs for it. */
  readonly bytesMoved: number;
}

/** What crossed the border of runs, and in how many steps. */
export interface Traffic extends Crossings {
  steps: number;
}

/** Counts what crosses the border of runs while steps are taken. */
export class TrafficMeter {
  readonly total: Traffic = { runs: 0, steps: 0, bytesIn: 0, bytesOut: 0 };
  readonly #crossings: Crossings;

  constructor({ crossings }: { readonly crossings: Crossings }) {
    this.#crossings = crossings;
  }

  /** Takes steps; gives what they gave, each with its share of the bytes moved. */
  async during(take: () => Promise<Omit<StepResult, 'bytesMoved'>[]>): Promise<StepResult[]> {
    const before = { ...this.#crossings };
    const results = await take();
    const { runs, bytesIn, bytesOut } = this.#crossings;
    const [fed, given] = [bytesIn - before.bytesIn, bytesOut - before.bytesOut];
    this.total.runs += runs - before.runs;
    this.total.bytesIn += fed;
    this.total.bytesOut += given;
    this.total.steps += results.length;
    return results.map((result) => ({ ...result, bytesMoved: (fed + given) / results.length }));
  }
}

/** Takes optimiser steps on the parameters of a store. */
export interface Stepper {
  /**
   * Takes the step numbered `step` (from 0 over the whole run) on the first entry of `rows`, and as many of the next
   * ones as suit; the store holds the parameters afterwards. `between` is called before every run of a graph; it
   * throws to stop, and then nothing of that run counts.
   * @throws EngineError TRAINING_DIVERGED; the store is as before the step.
   */
  advance(rows: readonly StepRows[], step: number, between: () => void): Promise<StepResult[]>;
  /** What must be kept beside parameters and moments to go on; undefined for nothing. */
  readonly carried: LoopState | undefined;
  /** What crossed the border of runs for all steps taken. */
  readonly traffic: Traffic;
  close(): Promise<void>;
}

/** What a run's result says of how it was computed. */
export function howComputed({
  carried,
  traffic,
}: Stepper): Pick<TrainDone, 'pass' | 'precision' | 'skippedSteps' | 'bytesPerStep'> {
  return {
    pass: carried === undefined ? 'steps' : 'loop',
    precision: carried?.precision ?? 'f32',
    skippedSteps: carried?.skipped ?? 0,
    bytesPerStep: (traffic.bytesIn + traffic.bytesOut) / Math.max(1, traffic.steps),
  };
}

export interface StepPlan {
  readonly store: ParameterStore;
  readonly training: TrainingConfig;
  readonly data: TokenBlock;
  readonly rules: LossRules;
  /** Sequences in one batch at most. */
  readonly maxRows: number;
  readonly totalSteps: number;
}

/** What the batches of a step hold. */
export const sizesOf = (batches: readonly MicroBatch[]): Pick<StepResult, 'targets' | 'tokens'> => ({
  targets: batches.reduce((sum, b) => sum + b.targets, 0),
  tokens: batches.reduce((sum, b) => sum + b.tokens, 0),
});

/** The error of a step, counted from 0, that cannot be gone on from. */
export const diverged = (step: number, loss: number, norm: number): EngineError =>
  new EngineError(
    'TRAINING_DIVERGED',
    `Step ${step + 1}: the loss is ${loss} and the gradient norm ${norm}.`,
    'Lower the learning rate or lengthen the warm-up, and start a new run.',
  );

/** One step after the other: gradients, their norm and the update are runs of their own, the state in main memory. */
export class SingleStepper implements Stepper {
  readonly carried = undefined;
  readonly #plan: StepPlan;
  readonly #gradients: GradientRunner;
  readonly #optimizer: AdamW;
  readonly #meter: TrafficMeter;

  constructor(plan: StepPlan, gradients: GradientRunner, optimizer: AdamW, meter: TrafficMeter) {
    this.#plan = plan;
    this.#gradients = gradients;
    this.#optimizer = optimizer;
    this.#meter = meter;
  }

  get traffic(): Traffic {
    return this.#meter.total;
  }

  async advance([rows]: readonly StepRows[], step: number, between: () => void): Promise<StepResult[]> {
    return rows === undefined ? [] : this.#meter.during(() => this.#take(rows, step, between));
  }

  async #take(rows: StepRows, step: number, between: () => void): Promise<Omit<StepResult, 'bytesMoved'>[]> {
    const start = performance.now();
    const { store, training, data, rules, maxRows, totalSteps } = this.#plan;
    const batches = splitStep(rows, { data, rules, maxRows });
    const loss = await this.#gradients.run(batches, step, between);
    const norm = gradientNorm(store.gradients);
    if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw diverged(step, loss, norm);
    const rate = learningRate(training, step, totalSteps);
    await this.#optimizer.step(store, {
      t: step + 1,
      learningRate: rate,
      weightDecay: training.weightDecay,
      scale: clipScale(norm, training.clip),
    });
    const seconds = (performance.now() - start) / 1000;
    return [{ loss, norm, rate, taken: true, ...sizesOf(batches), seconds }];
  }

  async close(): Promise<void> {
    await this.#gradients.close();
    await this.#optimizer.close();
  }
}
