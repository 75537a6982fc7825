import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { openModelFolder, readTensor, type ModelFolder } from '../../../src/main/models/index.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { hidesPadding, lossRules, splitStep } from '../../../src/main/runtime/training/batches.ts';
import { GradientRunner } from '../../../src/main/runtime/training/gradients.ts';
import { gradientNorm } from '../../../src/main/runtime/training/optimizer.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import { TRAINING_PRESETS } from '../../../src/shared/domain/index.ts';

const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const LENGTH = 24;
const ROWS = 8;
const data = {
  ids: Int32Array.from({ length: ROWS * LENGTH }, (_, i) => (i * 37 + 11) % 211),
  lengths: Int32Array.from({ length: ROWS }, (_, i) => 6 + ((i * 5) % (LENGTH - 5))),
  count: ROWS,
  length: LENGTH,
};
let model: ModelFolder;
beforeAll(async () => {
  model = await openModelFolder(folder);
});

const CASES = [
  { name: 'one batch', maxRows: ROWS, dropout: 0, preset: 'II' },
  { name: 'several batches added up', maxRows: 3, dropout: 0, preset: 'II' },
  { name: 'dropout', maxRows: ROWS, dropout: 0.3, preset: 'II' },
  {
    name: 'dropout, several batches, padding counted but not attended to',
    maxRows: 4,
    dropout: 0.1,
    preset: 'I',
  },
] as const;

/** Loss and gradients of one step, after another one whose gradients must leave no trace. */
async function step(mode: 'whole' | 'layers', { maxRows, dropout, preset }: (typeof CASES)[number]) {
  const store = new ParameterStore([...model.tensors].map(([name, { shape }]) => ({ name, shape })));
  for (const [name, entry] of model.tensors) store.set(store.values, name, await readTensor(entry));
  const rules = lossRules(TRAINING_PRESETS[preset], 210);
  const runner = new GradientRunner(sessions, store, {
    config: model.config,
    dropout,
    seed: 7,
    memoryLimitBytes: 2 ** 30,
    mode,
    hidePadding: hidesPadding(rules),
  });
  const rows = (from: number): Int32Array => Int32Array.from({ length: ROWS }, (_, i) => (from + i) % ROWS);
  await runner.run(splitStep(rows(3).subarray(0, 5), { data, rules, maxRows: 2 }), 0, () => undefined);
  let runs = 0;
  const loss = await runner.run(splitStep(rows(0), { data, rules, maxRows }), 1, () => {
    runs++;
  });
  await runner.close();
  return { store, loss, runs };
}

describe('layer by layer', () => {
  it.each(CASES)('gives the loss and gradients of the whole graph: $name', async (options) => {
    const [whole, layers] = [await step('whole', options), await step('layers', options)];
    // The same float32 sums, compiled in other pieces: rounding of the last digits.
    expect(Math.abs(layers.loss - whole.loss)).toBeLessThan(1e-6 * whole.loss);
    const norm = gradientNorm(whole.store.gradients);
    for (const { name } of whole.store.parameters) {
      const other = layers.store.view(layers.store.gradients, name);
      const own = whole.store.view(whole.store.gradients, name);
      const worst = own.reduce((w, v, i) => Math.max(w, Math.abs(v - (other[i] ?? NaN))), 0);
      expect(worst, name).toBeLessThan(2e-6 * norm);
    }
    // Embedding, three layers and head, forward and back, and a look at the clock before each.
    const batches = Math.ceil(ROWS / options.maxRows);
    expect([whole.runs, layers.runs]).toEqual([batches, batches * (2 + 2 * 3 + 1)]);
  });
});
