import type { ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { adamwScalars } from '../../engine/nn/adamw.ts';
import type { MaskInput } from '../../engine/nn/dropout.ts';
import { learningRate } from '../../engine/nn/schedule.ts';
import { afterwards, firstMoment, maskSeed, secondMoment, trainLoop } from '../../engine/nn/trainLoop.ts';
import {
  byteCount,
  f32,
  floats,
  i64,
  scalarOf,
  type Session,
  type SessionFactory,
  type Value,
} from '../sessions.ts';
import { splitStep, widthOf, type MicroBatch, type StepRows } from './batches.ts';
import type { LoopState } from './checkpoints.ts';
import { maskState } from './masks.ts';
import { batchFeeds } from './pass.ts';
import {
  diverged,
  sizesOf,
  TrafficMeter,
  type StepPlan,
  type StepResult,
  type Stepper,
  type Traffic,
} from './stepper.ts';
import { stacked } from './stacking.ts';

/** One run lasts about this long: it cannot be stopped, and reports nothing before its end. */
const RUN_SECONDS = 2;
/** Batches of one run are at most this large, in bytes. */
const RUN_BYTES = 2 ** 28;
const MOST_STEPS = 512;
/** The steps of a run are at most this many times those of the run before. */
const GROWTH = 4;

export interface LoopOptions {
  readonly model: ModelConfig;
  readonly hidePadding: boolean;
  /** Steps in every run, where the rest of the epoch has them; default: as many as suit the time they take. */
  readonly stepsPerRun?: number;
}

/**
 * Many optimiser steps in one run of a graph (`trainLoop`): parameters and moments go in before the first and come
 * out after the last, and between them only the run's own device has them. Every batch has one shape. How many
 * steps make a run changes no result.
 */
export class LoopStepper implements Stepper {
  readonly #meter: TrafficMeter;
  readonly #plan: StepPlan;
  readonly #options: LoopOptions;
  readonly #session: Session;
  readonly #masks: readonly MaskInput[];
  readonly #width: number;
  readonly #state: Readonly<Record<string, Value>>;
  #carried: LoopState;
  #stepsPerRun: number;

  private constructor(
    plan: StepPlan,
    options: LoopOptions,
    carried: LoopState,
    compiled: { readonly session: Session; readonly masks: readonly MaskInput[]; readonly width: number },
    meter: TrafficMeter,
  ) {
    this.#meter = meter;
    const { store } = plan;
    this.#plan = plan;
    this.#options = options;
    this.#carried = carried;
    this.#session = compiled.session;
    this.#masks = compiled.masks;
    this.#width = compiled.width;
    this.#stepsPerRun = options.stepsPerRun ?? 1;
    this.#state = {
      ...store.feeds(store.values),
      ...store.feeds(store.firstMoments, firstMoment),
      ...store.feeds(store.secondMoments, secondMoment),
    };
  }

  /** `carried` is what an earlier stepper of the same run left, or what a run begins with. */
  static async open(
    sessions: SessionFactory,
    plan: StepPlan,
    options: LoopOptions,
    carried: LoopState,
  ): Promise<LoopStepper> {
    const { training, store, maxRows, rules, data } = plan;
    const width = widthOf(data, rules);
    const { graph, masks } = trainLoop({
      config: options.model,
      parameters: store.parameters,
      batch: maxRows,
      length: width,
      dropout: training.dropout,
      hidePadding: options.hidePadding,
      parts: Math.ceil(Math.min(training.batchSize * training.accumulation, data.count) / maxRows),
      optimizer: training,
      clip: training.clip,
      decay: training.decay,
      precision: carried.precision,
    });
    const session = await sessions.open(graph, { memoryPattern: false });
    return new LoopStepper(plan, options, carried, { session, masks, width }, new TrafficMeter(sessions));
  }

  get carried(): LoopState {
    return this.#carried;
  }

  get traffic(): Traffic {
    return this.#meter.total;
  }

  async advance(rows: readonly StepRows[], step: number, between: () => void): Promise<StepResult[]> {
    return rows.length === 0 ? [] : this.#meter.during(() => this.#take(rows, step, between));
  }

  async #take(
    rows: readonly StepRows[],
    step: number,
    between: () => void,
  ): Promise<Omit<StepResult, 'bytesMoved'>[]> {
    const start = performance.now();
    const { data, rules, maxRows } = this.#plan;
    const how = { data, rules, maxRows, width: this.#width };
    const steps = rows.slice(0, this.#stepsPerRun).map((r) => splitStep(r, how));
    between();
    const rates = steps.map((_, i) => this.#rate(step - this.#carried.skipped + i));
    const batches = this.#batches(steps, step);
    const feeds = { ...this.#state, ...this.#scalars(rates, step), ...batches };
    const results = await this.#session.run(feeds);
    const [losses, norms, taken] = [
      floats(results, 'loss'),
      floats(results, 'norm'),
      floats(results, 'taken'),
    ];
    this.#requireSense(losses, norms, step);
    this.#keep(results, taken);
    const seconds = (performance.now() - start) / 1000 / steps.length;
    this.#paceTo(seconds, byteCount(batches) / steps.length);
    let next = 0;
    return steps.map((parts, i) => {
      const one = { loss: losses[i] ?? NaN, norm: norms[i] ?? NaN, taken: taken[i] === 1 };
      const rate = rates[one.taken ? next++ : next] ?? 0;
      return { ...one, rate, ...sizesOf(parts), seconds };
    });
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  #rate(counted: number): number {
    return learningRate(this.#plan.training, counted, this.#plan.totalSteps);
  }

  /** What the run takes beside state and batches; steps that were skipped before do not count. */
  #scalars(rates: readonly number[], step: number): Record<string, Value> {
    const { training } = this.#plan;
    const { scale, clean, skipped } = this.#carried;
    const each = rates.map((rate, i) =>
      adamwScalars(training, step - skipped + i + 1, rate, training.weightDecay),
    );
    const row = (of: (s: (typeof each)[number]) => number): Value =>
      f32(Float32Array.from(each, of), [each.length]);
    return {
      steps: { data: BigInt64Array.of(BigInt(rates.length)), dims: [] },
      keep: row((s) => s.keep),
      step: row((s) => s.step),
      root: row((s) => s.root),
      scale: scalarOf(scale),
      clean: scalarOf(clean),
    };
  }

  #batches(steps: readonly (readonly MicroBatch[])[], step: number): Record<string, Value> {
    const { training } = this.#plan;
    const each = steps.flatMap((batches, i) =>
      batches.map((batch, index) => ({
        ...batchFeeds(batch),
        ...Object.fromEntries(
          this.#masks.map(({ name, site }) => [
            maskSeed(name),
            i64([maskState({ seed: training.seed, step: step + i, batch: index, site })], []),
          ]),
        ),
      })),
    );
    let next = 0;
    const first = steps.map((batches) => (next += batches.length) - batches.length);
    return {
      ...stacked(each, this.#session.inputs),
      first: i64(first, [steps.length]),
      parts: i64(
        steps.map((b) => b.length),
        [steps.length],
      ),
    };
  }

  /** @throws EngineError TRAINING_DIVERGED where no smaller loss scale could help. */
  #requireSense(losses: Float32Array, norms: Float32Array, step: number): void {
    const { precision, scale } = this.#carried;
    if (precision === 'mixed-f16' && scale >= 1) return;
    const at = losses.findIndex((loss, i) => !Number.isFinite(loss) || !Number.isFinite(norms[i]));
    if (at >= 0) throw diverged(step + at, losses[at] ?? NaN, norms[at] ?? NaN);
  }

  #keep(results: Readonly<Record<string, Value>>, taken: Float32Array): void {
    for (const [name, { data }] of Object.entries(this.#state)) {
      invariant(data instanceof Float32Array, `${name} is float32`);
      data.set(floats(results, afterwards(name)));
    }
    const skipped = taken.reduce((sum, one) => sum + (one === 1 ? 0 : 1), 0);
    this.#carried = { ...this.#carried, skipped: this.#carried.skipped + skipped };
    if (this.#carried.precision === 'f32') return;
    const [scale = 1] = floats(results, afterwards('scale'));
    const [clean = 0] = floats(results, afterwards('clean'));
    this.#carried = { ...this.#carried, scale, clean };
  }

  /** Sets how many steps the next run has, from what one took and what its batches weigh. */
  #paceTo(secondsPerStep: number, bytesPerStep: number): void {
    if (this.#options.stepsPerRun !== undefined) return;
    const wanted = Math.min(
      RUN_SECONDS / secondsPerStep,
      RUN_BYTES / bytesPerStep,
      this.#stepsPerRun * GROWTH,
      MOST_STEPS,
    );
    this.#stepsPerRun = Math.max(1, Math.floor(wanted));
  }
}
