import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder, readTensor, type ModelFolder } from '../../../src/main/models/index.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { hidesPadding, lossRules } from '../../../src/main/runtime/training/batches.ts';
import type { LoopState } from '../../../src/main/runtime/training/checkpoints.ts';
import {
  DEVICE_TRAINING,
  precisionOn,
  type DeviceTraining,
} from '../../../src/main/runtime/training/device.ts';
import { GradientRunner } from '../../../src/main/runtime/training/gradients.ts';
import { LoopStepper } from '../../../src/main/runtime/training/loopStepper.ts';
import { AdamW } from '../../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import { runTraining } from '../../../src/main/runtime/training/run.ts';
import {
  SingleStepper,
  TrafficMeter,
  type StepPlan,
  type StepResult,
  type Stepper,
} from '../../../src/main/runtime/training/stepper.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../../src/shared/domain/index.ts';

const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const [COUNT, LENGTH, STEPS] = [48, 16, 12];
const PARAMETER_BYTES = 4 * 46_976;
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
  const stepper = new SingleStepper(
    plan,
    gradients,
    await AdamW.open(sessions, training),
    new TrafficMeter(sessions),
  );
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
      const apart = { loss: 0, norm: 0, seconds: 0, bytesMoved: 0 };
      expect({ ...step, ...apart }).toEqual({ ...other, ...apart });
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

/** The state of a store, as text: equal where every bit is. */
const bits = ({ values, firstMoments, secondMoments }: ParameterStore): string =>
  [values, firstMoments, secondMoments].map((a) => Buffer.from(a.buffer).toString('base64')).join();

describe('where a run is cut', () => {
  it('changes no bit, neither by the steps of a run nor by going on from a checkpoint', async () => {
    const ends: string[] = [];
    for (const stepsPerRun of [1, 4, STEPS]) {
      const plan = await planOf(CONFIG, EVEN, 2);
      const stepper = await looped(plan, stepsPerRun);
      await take(stepper, 0, STEPS);
      await stepper.close();
      ends.push(bits(plan.store));
    }
    const plan = await planOf(CONFIG, EVEN, 2);
    const before = await looped(plan, 3);
    await take(before, 0, 6);
    await before.close();
    const after = await looped(plan, 6, before.carried);
    await take(after, 6, STEPS);
    await after.close();
    expect(new Set([...ends, bits(plan.store)]).size).toBe(1);
  });

  it('changes what is moved: the state once a run, the batches once', async () => {
    const plan = await planOf({ ...CONFIG, dropout: 0 }, EVEN, 2);
    const moved = async (stepsPerRun: number): Promise<LoopStepper['traffic']> => {
      const stepper = await looped(plan, stepsPerRun);
      await take(stepper, 0, STEPS);
      await stepper.close();
      return stepper.traffic;
    };
    const [one, all] = [await moved(1), await moved(STEPS)];
    // Parameters and both moments.
    const state = 3 * PARAMETER_BYTES;
    expect(one.bytesOut - all.bytesOut).toBe((STEPS - 1) * state);
    // Each run is told the number of its steps.
    expect(one.bytesIn - all.bytesIn).toBe((STEPS - 1) * (state + 8));
    expect(all.bytesOut - state).toBe(STEPS * 3 * 4);
  });

  it('moves no dropout masks, but what they are drawn from', async () => {
    const moved = async (dropout: number): Promise<number> => {
      const stepper = await looped(await planOf({ ...CONFIG, dropout }, EVEN, 2), STEPS);
      await take(stepper, 0, STEPS);
      await stepper.close();
      return stepper.traffic.bytesIn;
    };
    const sites = 1 + 3 * model.config.nLayer;
    const batches = 2 * STEPS;
    expect((await moved(0.2)) - (await moved(0))).toBe(8 * sites * batches);
  });
});

describe('mixed precision', () => {
  const mixed: LoopState = { ...FRESH, precision: 'mixed-f16' };

  it('gives the gradients of float32 but for the rounding of float16', async () => {
    const training = { ...CONFIG, clip: 0, firstRate: 'one-step' } as const;
    const run = async (carried: LoopState): Promise<{ plan: StepPlan; steps: StepResult[] }> => {
      const plan = await planOf(training, EVEN, 2);
      const stepper = await looped(plan, 1, carried);
      const steps = await take(stepper, 0, 1);
      await stepper.close();
      return { plan, steps };
    };
    const [wide, narrow] = [await run(FRESH), await run(mixed)];
    const ratio = (narrow.steps[0]?.loss ?? NaN) / (wide.steps[0]?.loss ?? NaN);
    expect(Math.abs(ratio - 1)).toBeGreaterThan(0);
    expect(Math.abs(ratio - 1)).toBeLessThan(2 ** -11);
    // After one step the first moment is the gradient times 1 - beta1.
    const [a, b] = [narrow.plan.store.firstMoments, wide.plan.store.firstMoments];
    expect(distance(a, b)).toBeGreaterThan(1e-6 * norm(b));
    expect(distance(a, b)).toBeLessThan(1e-2 * norm(b));
  });

  it('skips a step that overflows, halves the scale, and goes on as if the step had not been', async () => {
    const training = { ...CONFIG, dropout: 0, accumulation: 1 };
    const batch = rowsOf(0).slice(0, 2);
    const run = async (carried: LoopState, batches: number) => {
      const plan = await planOf(training, EVEN, 2);
      const stepper = await looped(plan, batches, carried);
      const rows = Array.from({ length: batches }, () => batch);
      const steps = await stepper.advance(rows, 0, () => undefined);
      await stepper.close();
      return { end: bits(plan.store), steps, carried: stepper.carried };
    };
    // A gradient beyond 65,504 at first; a power of two more or less changes no other bit.
    const large = await run({ ...mixed, scale: 2 ** 24 }, 14);
    const skipped = large.steps.filter((s) => !s.taken).length;
    expect(skipped).toBeGreaterThan(0);
    expect(large.steps.map((s) => s.taken)).toEqual(large.steps.map((_, i) => i >= skipped));
    expect(large.carried).toEqual({ ...mixed, scale: 2 ** (24 - skipped), clean: 14 - skipped, skipped });
    const clean = await run({ ...mixed, scale: 2 ** (24 - skipped) }, 14 - skipped);
    expect(large.steps.slice(skipped).map((s) => s.rate)).toEqual(clean.steps.map((s) => s.rate));
    expect(large.end).toBe(clean.end);
  });

  it('doubles the scale after 2,000 steps without an overflow', async () => {
    const plan = await planOf({ ...CONFIG, dropout: 0 }, EVEN, 2);
    const stepper = await looped(plan, 2, { ...mixed, scale: 4, clean: 1999 });
    await take(stepper, 0, 2);
    await stepper.close();
    expect(stepper.carried).toEqual({ ...mixed, scale: 8, clean: 1, skipped: 0 });
  });

  it('is float32 where the provider gains nothing', () => {
    expect(precisionOn('mixed-f16', DEVICE_TRAINING.cpu)).toBe('f32');
    expect(precisionOn('mixed-f16', DEVICE_TRAINING.cuda)).toBe('mixed-f16');
  });
});

describe('a whole run', () => {
  it('goes through epochs, checkpoints and validation in loops, and says what it moved', async () => {
    const work = await mkdtemp(join(tmpdir(), 'engram-loop-'));
    const ids = Int32Array.from({ length: 12 * LENGTH }, (_, i) => (i * 37 + (i % 5)) % 209);
    const block = { ids, lengths: EVEN.slice(0, 12), count: 12, length: LENGTH };
    const run = (device: DeviceTraining): ReturnType<typeof runTraining> =>
      runTraining(
        {
          folder,
          workFolder: join(work, device.pass),
          train: block,
          validation: block,
          config: { ...CONFIG, epochs: 2, patience: 0, precision: 'mixed-f16' },
          eosTokenId: 210,
          resume: false,
          samplePrompt: null,
          sampleTokens: 0,
        },
        {
          sessions,
          memoryLimitBytes: 2 ** 30,
          emit: () => undefined,
          checkpoint: () => undefined,
          device,
        },
      );
    const [steps, loop, half] = [
      await run(DEVICE_TRAINING.cpu),
      await run({ pass: 'loop', mixed: false }),
      await run({ pass: 'loop', mixed: true }),
    ];
    await rm(work, { recursive: true });
    expect([steps, loop, half].map((d) => [d.pass, d.precision, d.steps])).toEqual([
      ['steps', 'f32', 6],
      ['loop', 'f32', 6],
      ['loop', 'mixed-f16', 6],
    ]);
    // Gradients in and out, and every array of the optimiser: nine times the parameters, and the masks.
    expect(steps.bytesPerStep).toBeGreaterThan(9 * PARAMETER_BYTES);
    expect(loop.bytesPerStep).toBeGreaterThan(0);
    expect(loop.bytesPerStep).toBeLessThan(6 * PARAMETER_BYTES + 10_000);
    expect(Math.abs(loop.bestValidationLoss / steps.bestValidationLoss - 1)).toBeLessThan(1e-5);
    expect(Math.abs(half.bestValidationLoss / steps.bestValidationLoss - 1)).toBeLessThan(1e-2);
  });
});
