import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshWeights } from '../../../src/main/models/create.ts';
import { Checkpoints, stateAtStart } from '../../../src/main/runtime/training/checkpoints.ts';
import { batchMean, tokenMean } from '../../../src/main/runtime/training/evaluate.ts';
import { ParameterStore } from '../../../src/main/runtime/training/parameters.ts';
import type { ModelConfig } from '../../../src/shared/domain/index.ts';

const CONFIG: ModelConfig = {
  family: 'gpt2',
  nLayer: 1,
  nHead: 1,
  dModel: 4,
  dMlp: 8,
  nCtx: 8,
  vocabSize: 11,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: null,
  eosTokenId: null,
};
const STATE = stateAtStart('a');

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'engram-checkpoints-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

function store(): ParameterStore {
  const weights = freshWeights(CONFIG, 3);
  const made = new ParameterStore(weights.map(({ name, shape }) => ({ name, shape })));
  for (const { name, data } of weights) {
    made.set(made.values, name, data);
    made.set(
      made.firstMoments,
      name,
      data.map((v) => v / 7),
    );
    made.set(
      made.secondMoments,
      name,
      data.map((v) => v * v),
    );
  }
  return made;
}

describe('the flat arrays of a model', () => {
  it('hold decayed tensors first, each at a multiple of 16 values, with zeros between', () => {
    const s = store();
    const [decayed, others] = s.groups;
    expect(decayed).toMatchObject({ from: 0, decayed: true });
    expect(others).toMatchObject({ from: decayed?.to, to: s.values.length, decayed: false });
    for (const { name, shape } of s.parameters) {
      const view = s.view(s.values, name);
      expect((view.byteOffset / 4) % 16, name).toBe(0);
      expect(view.byteOffset / 4 < (decayed?.to ?? 0), name).toBe(shape.length >= 2);
    }
    const sum = (values: Float32Array): number => values.reduce((t, v) => t + Math.abs(v), 0);
    const inTensors = s.parameters.reduce((t, p) => t + sum(s.view(s.values, p.name)), 0);
    expect(sum(s.values)).toBeCloseTo(inTensors, 4);
  });
});

describe('checkpoints', () => {
  it('give back every bit, and the newest first', async () => {
    const checkpoints = new Checkpoints(join(root, 'bits'));
    const saved = store();
    await checkpoints.save(CONFIG, saved, { ...STATE, step: 3 });
    await checkpoints.save(CONFIG, saved, { ...STATE, step: 12, epochLoss: 0.1 + 0.2 });
    const state = await checkpoints.newest();
    expect(state).toEqual({ ...STATE, step: 12, epochLoss: 0.1 + 0.2 });
    const loaded = new ParameterStore(saved.parameters);
    await checkpoints.load(12, loaded);
    expect(loaded.values).toEqual(saved.values);
    expect(loaded.firstMoments).toEqual(saved.firstMoments);
    expect(loaded.secondMoments).toEqual(saved.secondMoments);
  });

  it('keep the last two whole, and the weights of the best', async () => {
    const checkpoints = new Checkpoints(join(root, 'kept'));
    for (let step = 1; step <= 5; step++) {
      await checkpoints.save(CONFIG, store(), {
        ...STATE,
        step,
        best: { epoch: 1, step: Math.min(step, 2), loss: 1 },
      });
    }
    expect(await checkpoints.steps()).toEqual([2, 4, 5]);
    expect((await readdir(checkpoints.folderOf(2))).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
    ]);
    expect(await readdir(checkpoints.folderOf(4))).toContain('optimizer.safetensors');
  });

  it('pass over one that was never finished', async () => {
    const checkpoints = new Checkpoints(join(root, 'partial'));
    await checkpoints.save(CONFIG, store(), { ...STATE, step: 1 });
    await mkdir(`${checkpoints.folderOf(2)}.partial`);
    expect((await checkpoints.newest())?.step).toBe(1);
    await checkpoints.clear();
    expect(await readdir(join(root, 'partial'))).toEqual([]);
    expect(await checkpoints.newest()).toBeNull();
  });

  it('name the file of a state that is damaged', async () => {
    const checkpoints = new Checkpoints(join(root, 'damaged'));
    await checkpoints.save(CONFIG, store(), { ...STATE, step: 1 });
    const file = join(checkpoints.folderOf(1), 'state.json');
    for (const text of ['{"format": 1', '{"format": 2}']) {
      await writeFile(file, text);
      await expect(checkpoints.newest()).rejects.toMatchObject({
        code: 'CHECKPOINT_DAMAGED',
        message: expect.stringContaining('state.json') as string,
      });
    }
  });

  it('say what is wrong with a place that cannot be written, and leave nothing behind', async () => {
    const file = join(root, 'a-file');
    await writeFile(file, '');
    const checkpoints = new Checkpoints(join(file, 'work'));
    await expect(checkpoints.save(CONFIG, store(), { ...STATE, step: 1 })).rejects.toMatchObject({
      kind: 'user',
      message: expect.stringContaining('a-file') as string,
    });
  });
});

describe('evaluation losses', () => {
  const losses = { nll: Float64Array.of(2, 4, 30), tokens: Int32Array.of(1, 3, 10) };
  it('are means over tokens, or of batch means as transformers forms them', () => {
    expect(tokenMean(losses)).toBeCloseTo(36 / 14, 12);
    // Three sequences: the last batch has one of them.
    expect(batchMean(losses, 2)).toBeCloseTo((2 * (6 / 4) + 3) / 3, 12);
    expect(batchMean(losses, 3)).toBeCloseTo(36 / 14, 12);
  });
  it('leave batches without a token out', () => {
    expect(batchMean({ nll: Float64Array.of(2, 0), tokens: Int32Array.of(1, 0) }, 1)).toBe(2);
  });
});
