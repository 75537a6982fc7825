import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder, readTensor, type ModelFolder } from '../../../src/main/models/index.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { hidesPadding, lossRules } from '../../../src/main/runtime/training/batches.ts';
import type { LoopState } from '../../../src/main/runtime/training/checkpoints.ts';
import { GradientRunner } from '../../../src/main/runtime/training/gradients.ts';
import { LoopStepper } from '../../../src/main/runtime/training/loopStepper.ts';
import { AdamW } from '../../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import {
  SingleStepper,
  type StepPlan,
  type StepResult,
  type Stepper,
} from '../../../src/main/runtime/training/stepper.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../../src/shared/domain/index.ts';

const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const [COUNT, LENGTH, STEPS] = [48, 16, 12];
let model: ModelFolder;
beforeAll(async () => {
  model = await openModelFolder(folder);
});

/** Texts of one length, so that the ordinary pass has batches of one shape too and draws the same masks. */
const EVEN = Int32Array.from({ length: COUNT }, () => LENGTH);
const UNEVEN = Int32Array.from({ length: COUNT }, (_, i) => 5 + ((i * 7) % (LENGTH - 4)));

/** Four sequences a step in batches of two: the last step of an epoch has three, so that a batch is half empty. */
const CONFIG: TrainingConfig = {
  ...TRAINING_PRESETS.II,
  preset: 'own',
  learningRate: 3e-3,
  batchSize: 2,
  accumulation: 2,
  warmupSteps: 4,
  dropout: 0.2,
  clip: 0.5,
};
const FRESH: LoopState = { precision: 'f32', scale: 2 ** 16, clean: 0, skipped: 0 };

async function planOf(training: TrainingConfig, lengths: Int32Array, maxRows: number): Promise<StepPlan> {
  const parameters = [...model.tensors].map(([name, { shape }]) => ({ name, shape }));
  const store = new ParameterStore(parameters, training.decay);
  for (const [name, entry] of model.tensors) store.set(store.values, name, await readTensor(entry));
  const data = {
    ids: Int32Array.from({ length: COUNT * LENGTH }, (_, i) => (i * 37 + (i % 5)) % 209),
    lengths,
    count: COUNT,
    length: LENGTH,
  };
  return { store, training, data, rules: lossRules(training, 210), maxRows, totalSteps: STEPS };
}

const rowsOf = (step: number): Int32Array =>
  Int32Array.from({ length: step === STEPS - 1 ? 3 : 4 }, (_, i) => (4 * step + i) % COUNT);

async function take(stepper: Stepper, from: number, to: number): Promise<StepResult[]> {
  const results: StepResult[] = [];
  while (from + results.length < to) {
    const next = from + results.length;
    const rows = Array.from({ length: to - next }, (_, i) => rowsOf(next + i));
    results.push(...(await stepper.advance(rows, next, () => undefined)));
  }
  return results;
}

async function ordinary(plan: StepPlan): Promise<StepResult[]> {
  const { store, training, rules } = plan;
  const gradients = new GradientRunner(sessions, store, {
    config: model.config,
    dropout: training.dropout,
    seed: training.seed,
    memoryLimitBytes: 2 ** 30,
    hidePadding: hidesPadding(rules),
  });
  const stepper = new SingleStepper(plan, gradients, await AdamW.open(sessions, training));
  const results = await take(stepper, 0, STEPS);
  await stepper.close();
  return results;
}

const looped = (plan: StepPlan, stepsPerRun: number, carried = FRESH): Promise<LoopStepper> =>
  LoopStepper.open(
    sessions,
    plan,
    { model: model.config, hidePadding: hidesPadding(plan.rules), stepsPerRun },
    carried,
  );

/**
 * A key bias moves all scores of a query alike: its gradient is 0 but for rounding, and AdamW divides by a gradient's
 * own size, so that rounding alone decides which way it goes.
 */
const KEY_BIASES = /c_attn\.bias$/;
const norm = (a: Float32Array): number => Math.sqrt(a.reduce((s, v) => s + v * v, 0));
const distance = (a: Float32Array, b: Float32Array): number => norm(a.map((v, i) => v - (b[i] ?? NaN)));

const CASES = [
  { name: 'dropout, accumulation, clipping, schedule', config: CONFIG, lengths: EVEN, maxRows: 2 },
  { name: 'one batch a step', config: CONFIG, lengths: EVEN, maxRows: 4 },
  {
    name: 'texts of many lengths, no clipping',
    config: { ...CONFIG, dropout: 0, clip: 0, decay: 'all' },
    lengths: UNEVEN,
    maxRows: 2,
  },
  {
    name: 'padding that counts and is not attended to',
    config: { ...CONFIG, paddingInLoss: true, eosInLoss: true },
    lengths: UNEVEN,
    maxRows: 2,
  },
] as const;

describe('many steps in one run', () => {
  it.each(CASES)('are the steps taken one by one: $name', async ({ config, lengths, maxRows }) => {
    const [single, many] = [await planOf(config, lengths, maxRows), await planOf(config, lengths, maxRows)];
    const one = await ordinary(single);
    const stepper = await looped(many, 5);
    const all = await take(stepper, 0, STEPS);
    await stepper.close();
    all.forEach((step, i) => {
      const other = one[i];
      expect(Math.abs(step.loss / (other?.loss ?? NaN) - 1)).toBeLessThan(1e-6);
      expect(Math.abs(step.norm / (other?.norm ?? NaN) - 1)).toBeLessThan(1e-6);
      expect({ ...step, loss: 0, norm: 0, seconds: 0 }).toEqual({ ...other, loss: 0, norm: 0, seconds: 0 });
    });
    for (const array of ['values', 'firstMoments', 'secondMoments'] as const) {
      for (const { name } of single.store.parameters) {
        if (KEY_BIASES.test(name)) continue;
        const [a, b] = [many, single].map(({ store }) => store.view(store[array], name));
        if (a === undefined || b === undefined) throw new Error(name);
        expect(distance(a, b), `${array} of ${name}`).toBeLessThan(5e-6 * norm(b));
      }
    }
    expect(stepper.traffic).toMatchObject({ runs: 3, steps: STEPS });
  });
});
