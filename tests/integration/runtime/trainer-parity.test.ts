import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder, readSafetensors, readTensor } from '../../../src/main/models/index.ts';
import type { TrainDone, TrainEvent, TrainRequest } from '../../../src/main/runtime/api.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { runTraining } from '../../../src/main/runtime/training/run.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../../src/shared/domain/index.ts';
import { CancelledError } from '../../../src/shared/errors/index.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));

interface Rows {
  readonly ids: number[][];
  readonly lengths: number[];
}
interface Case {
  readonly settings: Pick<TrainingConfig, 'epochs' | 'patience' | 'schedule' | 'clip' | 'dropout'> & {
    readonly padding: 'counted' | 'masked';
  };
  readonly curves: {
    readonly loss: number[];
    readonly gradientNorm: number[];
    readonly learningRate: number[];
    readonly validationLoss: number[];
    readonly epochs: number;
    readonly totalSteps: number;
    readonly bestStep: number;
  };
}
interface Reference {
  readonly steps: number;
  readonly length: number;
  readonly eos: number;
  readonly data: { readonly train: Rows; readonly validation: Rows };
  readonly cases: Readonly<Record<'I' | 'II' | 'early' | 'dropout', Case>>;
}
// Written by tests/reference/trainer_reference.py.
const { steps, length, eos, data, cases } = JSON.parse(
  readFileSync(reference('tiny-gpt2-trainer.json'), 'utf8'),
) as Reference;

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'engram-trainer-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const block = ({ ids, lengths }: Rows): TrainRequest['train'] => {
  return { ids: Int32Array.from(ids.flat()), lengths: Int32Array.from(lengths), count: ids.length, length };
};

/** The study's configuration as its code runs it, or the case's own values over the one with the same padding. */
function configOf(name: keyof Reference['cases']): TrainingConfig {
  const { padding, ...settings } = cases[name].settings;
  const preset = TRAINING_PRESETS[padding === 'counted' ? 'I' : 'II'];
  const config = { ...preset, ...settings, sequenceLength: length };
  // The presets are what is tested: dropout and length apart, the reference has their very values.
  if (name === 'I' || name === 'II')
    expect({ ...config, dropout: preset.dropout, sequenceLength: 512 }).toEqual(preset);
  return config;
}

interface Curves {
  readonly loss: number[];
  readonly norm: number[];
  readonly rate: number[];
  readonly validation: number[];
}

/** Trains until done, or until `epochs` epochs are complete; a second call goes on from there. */
async function train(
  name: keyof Reference['cases'],
  into: Curves,
  epochs = Infinity,
): Promise<TrainDone | null> {
  let stop = false;
  const request: TrainRequest = {
    folder: reference('tiny-gpt2'),
    workFolder: join(root, name),
    train: block(data.train),
    validation: block(data.validation),
    config: configOf(name),
    eosTokenId: eos,
    resume: true,
    samplePrompt: null,
    sampleTokens: 0,
  };
  const emit = (event: TrainEvent): void => {
    if (event.type === 'steps') {
      into.loss.push(...event.steps.map((s) => s.loss));
      into.norm.push(...event.steps.map((s) => s.gradientNorm));
      into.rate.push(...event.steps.map((s) => s.learningRate));
    } else if (event.type === 'epoch') {
      into.validation.push(event.point.validationLoss);
      stop = event.point.epoch >= epochs;
    }
  };
  const checkpoint = (): void => {
    if (stop) throw new CancelledError('enough epochs');
  };
  try {
    return await runTraining(request, { sessions, memoryLimitBytes: 2 ** 30, emit, checkpoint });
  } catch (error) {
    if (error instanceof CancelledError) return null;
    throw error;
  }
}

/** Largest relative difference; infinite where the lengths differ. */
const apart = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length
    ? a.reduce((w, v, i) => Math.max(w, Math.abs(v - (b[i] ?? NaN)) / Math.abs(b[i] || 1)), 0)
    : Infinity;

const empty = (): Curves => ({ loss: [], norm: [], rate: [], validation: [] });

describe.each(['I', 'II'] as const)('configuration %s against transformers’ Trainer', (name) => {
  const { curves } = cases[name];
  const ours = empty();
  let done: TrainDone | null = null;

  it('has the same losses for fifty steps, and the same parameters after them', async () => {
    const perEpoch = curves.totalSteps / cases[name].settings.epochs;
    done = await train(name, ours, steps / perEpoch);
    expect(ours.loss.length).toBe(steps);
    // Asked for: 1e-4. Measured here: about 1e-6.
    expect(apart(ours.loss, curves.loss.slice(0, steps))).toBeLessThan(1e-5);
    expect(apart(ours.norm, curves.gradientNorm.slice(0, steps))).toBeLessThan(1e-4);
    const model = await openModelFolder(join(root, name, `checkpoint-${String(steps).padStart(8, '0')}`));
    const { tensors } = await readSafetensors(reference('tiny-gpt2-trainer.safetensors'));
    for (const [parameter, entry] of model.tensors) {
      const expected = tensors.get(`${name}/${parameter}`);
      if (expected === undefined) throw new Error(`the reference has no ${parameter}`);
      const [a, b] = [await readTensor(entry), await readTensor(expected)];
      // Asked for: 1e-3. The rate has reached 5e-6 at most, so that a parameter moves by 1e-4: hold to a hundredth.
      const worst = a.reduce((w, v, i) => Math.max(w, Math.abs(v - (b[i] ?? NaN))), 0);
      // The key bias has no gradient but rounding, which Adam turns into steps of the rate (see README.md).
      expect(worst, parameter).toBeLessThan(parameter.endsWith('attn.c_attn.bias') ? 5e-4 : 1e-5);
    }
  });

  it('and the same validation losses, stopping and best epoch to the end', async () => {
    done ??= await train(name, ours);
    expect(ours.validation.length).toBe(curves.epochs);
    expect(apart(ours.loss, curves.loss)).toBeLessThan(1e-5);
    expect(apart(ours.rate, curves.learningRate)).toBeLessThan(1e-8);
    expect(apart(ours.validation, curves.validationLoss)).toBeLessThan(1e-5);
    expect(done).toMatchObject({ totalSteps: curves.totalSteps, steps: curves.loss.length });
    expect(done?.bestFolder).toContain(String(curves.bestStep));
  });
});

describe('against transformers’ Trainer', () => {
  it('early stopping, schedule, clipping and decay give the same run where they matter', async () => {
    const { curves, settings } = cases.early;
    expect(curves.epochs).toBeLessThan(settings.epochs);
    expect(Math.max(...curves.gradientNorm)).toBeGreaterThan(2 * settings.clip);
    const ours = empty();
    const done = await train('early', ours);
    expect(done).toMatchObject({ stoppedEarly: true, steps: curves.loss.length });
    expect(done?.bestFolder).toContain(String(curves.bestStep).padStart(8, '0'));
    expect(apart(ours.rate, curves.learningRate)).toBeLessThan(1e-8);
    // At a rate of 5e-3 rounding grows from step to step: 1e-4 at first, a thousandth by the end.
    expect(apart(ours.loss.slice(0, 30), curves.loss.slice(0, 30))).toBeLessThan(1e-4);
    expect(apart(ours.loss, curves.loss)).toBeLessThan(5e-3);
    expect(apart(ours.validation, curves.validationLoss)).toBeLessThan(5e-3);
  });

  it('dropout with the same masks gives the same losses', async () => {
    const { curves } = cases.dropout;
    const ours = empty();
    await train('dropout', ours);
    expect(apart(ours.loss, curves.loss)).toBeLessThan(1e-4);
    expect(apart(ours.validation, curves.validationLoss)).toBeLessThan(1e-4);
  });
});
