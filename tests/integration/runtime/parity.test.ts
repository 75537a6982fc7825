import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { clipScale } from '../../../src/main/engine/nn/adamw.ts';
import { learningRate } from '../../../src/main/engine/nn/schedule.ts';
import {
  openModelFolder,
  readSafetensors,
  readTensor,
  type ModelFolder,
} from '../../../src/main/models/index.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { lossRules, splitStep, type MicroBatch } from '../../../src/main/runtime/training/batches.ts';
import { GradientRunner } from '../../../src/main/runtime/training/gradients.ts';
import { AdamW, gradientNorm } from '../../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import { TRAINING_PRESETS } from '../../../src/shared/domain/index.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));
const json = (name: string): unknown => JSON.parse(readFileSync(reference(name), 'utf8'));

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const memoryLimitBytes = 2 ** 30;
let model: ModelFolder;

async function freshStore(): Promise<ParameterStore> {
  const store = new ParameterStore([...model.tensors].map(([name, { shape }]) => ({ name, shape })));
  for (const [name, entry] of model.tensors) store.set(store.values, name, await readTensor(entry));
  return store;
}

/** Largest difference between a parameter's values and the reference's. */
async function differences(
  store: ParameterStore,
  array: Float32Array,
  file: string,
  prefix: string,
): Promise<Map<string, { difference: number; largest: number; keyBias: number }>> {
  const { tensors } = await readSafetensors(reference(file));
  const result = new Map<string, { difference: number; largest: number; keyBias: number }>();
  for (const { name } of store.parameters) {
    const entry = tensors.get(`${prefix}transformer.${name}`);
    if (entry === undefined) throw new Error(`the reference has no ${prefix}${name}`);
    const expected = await readTensor(entry);
    const actual = store.view(array, name);
    let [difference, largest, keyBias] = [0, 0, 0];
    expected.forEach((v, i) => {
      const d = Math.abs(v - (actual[i] ?? NaN));
      largest = Math.max(largest, Math.abs(v));
      const third = expected.length / 3;
      // The key bias: the second third of the fused bias; see tests/reference/README.md.
      if (name.endsWith('attn.c_attn.bias') && i >= third && i < 2 * third) keyBias = Math.max(keyBias, d);
      else difference = Math.max(difference, d);
    });
    result.set(name, { difference, largest, keyBias });
  }
  return result;
}

beforeAll(async () => {
  model = await openModelFolder(reference('tiny-gpt2'));
});

interface Gradients {
  readonly ids: number[][];
  readonly ignore_index: number;
  readonly variants: Record<string, { labels: number[][]; loss: number; grad_norm: number }>;
}

describe('gradients of every parameter', () => {
  const { ids, variants, ignore_index: ignored } = json('tiny-gpt2-grads.json') as Gradients;
  for (const [variant, { labels, loss, grad_norm }] of Object.entries(variants)) {
    it(`agree with PyTorch (${variant})`, async () => {
      const [rows, width] = [ids.length, ids[0]?.length ?? 0];
      const next = labels.flatMap((row) => [...row.slice(1), ignored]);
      const targets = next.filter((label) => label !== ignored).length;
      const batch: MicroBatch = {
        rows,
        width,
        ids: Int32Array.from(ids.flat()),
        labels: Int32Array.from(next, (label) => (label === ignored ? 0 : label)),
        weights: Float32Array.from(next, (label) => (label === ignored ? 0 : 1 / targets)),
        lengths: new Int32Array(rows).fill(width),
        targets,
        tokens: rows * width,
      };
      const store = await freshStore();
      const runner = new GradientRunner(sessions, store, {
        config: model.config,
        dropout: 0,
        seed: 0,
        memoryLimitBytes,
      });
      const got = await runner.run([batch], 0, () => undefined);
      await runner.close();
      expect(Math.abs(got - loss)).toBeLessThan(2e-5);
      expect(Math.abs(gradientNorm(store.gradients) - grad_norm)).toBeLessThan(1e-4 * grad_norm);
      const found = await differences(store, store.gradients, 'tiny-gpt2-grads.safetensors', `${variant}/`);
      for (const [name, { difference, largest, keyBias }] of found) {
        expect(difference / largest, name).toBeLessThan(3e-5);
        expect(keyBias, name).toBeLessThan(1e-5);
      }
    });
  }
});

interface TrainReference {
  readonly settings: {
    optimizer_steps: number;
    accumulation: number;
    batch: number;
    length: number;
    learning_rate: number;
    weight_decay: number;
    warmup_steps: number;
    grad_clip: number;
  };
  readonly series: { loss: number[]; grad_norm: number[]; learning_rate: number[] };
  readonly lengths: number[][][];
  readonly ids: number[][][][];
}

describe('fifty optimiser steps', () => {
  it('agree with PyTorch and transformers', async () => {
    const { settings, series, lengths, ids } = json('tiny-gpt2-train.json') as TrainReference;
    const perStep = settings.accumulation * settings.batch;
    const data = {
      ids: Int32Array.from(ids.flat(3)),
      lengths: Int32Array.from(lengths.flat(2)),
      count: settings.optimizer_steps * perStep,
      length: settings.length,
    };
    const config = {
      ...TRAINING_PRESETS.quick,
      learningRate: settings.learning_rate,
      warmupSteps: settings.warmup_steps,
      weightDecay: settings.weight_decay,
      schedule: 'linear-decay' as const,
    };
    const store = await freshStore();
    const runner = new GradientRunner(sessions, store, {
      config: model.config,
      dropout: 0,
      seed: 0,
      memoryLimitBytes,
    });
    const optimizer = await AdamW.open(sessions, config);
    for (let step = 0; step < settings.optimizer_steps; step++) {
      const rows = Int32Array.from({ length: perStep }, (_, i) => step * perStep + i);
      const batches = splitStep(rows, { data, rules: lossRules(config, null), maxRows: settings.batch });
      const loss = await runner.run(batches, step, () => undefined);
      const norm = gradientNorm(store.gradients);
      const rate = learningRate(config, step, settings.optimizer_steps);
      expect(Math.abs(loss - (series.loss[step] ?? NaN)), `loss ${step}`).toBeLessThan(2e-5);
      expect(Math.abs(norm - (series.grad_norm[step] ?? NaN)), `norm ${step}`).toBeLessThan(2e-5);
      expect(Math.abs(rate - (series.learning_rate[step] ?? NaN)), `rate ${step}`).toBeLessThan(1e-9);
      await optimizer.step(store, {
        t: step + 1,
        learningRate: rate,
        weightDecay: config.weightDecay,
        scale: clipScale(norm, settings.grad_clip),
      });
    }
    await runner.close();
    await optimizer.close();
    const found = await differences(store, store.values, 'tiny-gpt2-train.safetensors', '');
    for (const [name, { difference }] of found) expect(difference, name).toBeLessThan(1e-5);
  });
});
