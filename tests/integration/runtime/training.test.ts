import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenBlock } from '../../../src/main/models/index.ts';
import type { TrainDone, TrainEvent, TrainRequest } from '../../../src/main/runtime/api.ts';
import { spawnCompute } from '../../../src/main/runtime/client.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../../src/shared/domain/index.ts';

const entry = fileURLToPath(new URL('../../../src/main/runtime/worker.ts', import.meta.url));
const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const spawn = (): ReturnType<typeof spawnCompute> => spawnCompute({ entry, threads: 1 });

const compute = spawn();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'engram-training-'));
});
afterAll(async () => {
  compute.dispose();
  await rm(root, { recursive: true, force: true });
});

/** Sequences of unequal length in which each token follows from the one before, so that there is something to learn. */
function block(count: number, length: number): TokenBlock {
  const ids = new Int32Array(count * length).fill(210);
  const lengths = Int32Array.from({ length: count }, (_, i) => 5 + ((i * 7) % (length - 5)));
  lengths.forEach((n, i) => {
    for (let t = 0; t < n; t++) ids[i * length + t] = (i * 13 + t * 17) % 101;
  });
  return { ids, lengths, count, length };
}

const CONFIG: TrainingConfig = {
  ...TRAINING_PRESETS.quick,
  preset: 'own',
  epochs: 3,
  patience: 0,
  batchSize: 4,
  evalBatchSize: 4,
  accumulation: 2,
  warmupSteps: 3,
  sequenceLength: 40,
  dropout: 0.1,
  learningRate: 3e-3,
};

function request(name: string, config: Partial<TrainingConfig> = {}, resume = false): TrainRequest {
  return {
    folder,
    workFolder: join(root, name),
    train: block(50, 40),
    validation: block(11, 40),
    config: { ...CONFIG, ...config },
    eosTokenId: 210,
    resume,
    samplePrompt: [13, 30],
    sampleTokens: 4,
  };
}

const sha = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
const lastWeights = async (name: string): Promise<string> => {
  const names = (await readdir(join(root, name))).filter((n) => n.startsWith('checkpoint-')).sort();
  return sha(join(root, name, names.at(-1) ?? '', 'model.safetensors'));
};

describe('a training run', () => {
  const events: TrainEvent[] = [];
  let done: TrainDone;

  it('learns, reports every step and epoch, and keeps the best and the last two checkpoints', async () => {
    done = await compute.train(request('whole'), { onEvent: (e) => events.push(e) });
    const steps = events.flatMap((e) => (e.type === 'steps' ? [...e.steps] : []));
    const epochs = events.flatMap((e) => (e.type === 'epoch' ? [e] : []));
    // 50 sequences in steps of 4 · 2: seven steps an epoch, the last with two sequences.
    expect(done.totalSteps).toBe(21);
    expect(steps.map((s) => s.step)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
    expect(steps[0]?.learningRate).toBe(0);
    expect(steps.every((s) => s.gradientNorm > 0 && s.tokensPerSecond > 0)).toBe(true);
    expect(epochs.map((e) => e.point.epoch)).toEqual([1, 2, 3]);
    expect(epochs.every((e) => e.sample?.length === 4)).toBe(true);
    expect(epochs[2]?.point.validationLoss).toBeLessThan((epochs[0]?.point.validationLoss ?? 0) - 0.3);
    expect((await readdir(join(root, 'whole'))).sort()).toEqual([
      'checkpoint-00000014',
      'checkpoint-00000021',
    ]);
    expect(done.bestEpoch).toBe(3);
    expect(done.bestFolder).toBe(epochs[2]?.checkpoint);
  });

  it('leaves a folder whose evaluation is the reported loss', async () => {
    const { loss } = await compute.evaluate({ folder: done.bestFolder, data: block(11, 40), batchSize: 4 });
    // Same weights, another graph of the same sums: float32 rounding of a mean.
    expect(loss).toBeCloseTo(done.bestValidationLoss, 5);
  });

  it('gives the same weights again from the same seed, and others from another', async () => {
    await compute.train(request('again'));
    await compute.train(request('other', { seed: 43 }));
    expect(await lastWeights('again')).toBe(await lastWeights('whole'));
    expect(await lastWeights('other')).not.toBe(await lastWeights('whole'));
  });

  it('ends with the same weights, bit for bit, when it was killed in between and resumed', async () => {
    const mortal = spawn();
    const killed = mortal.train(request('killed'), {
      onEvent: (e) => {
        // In the second epoch, at once.
        if (e.type === 'epoch' && e.point.epoch === 1) mortal.kill();
      },
    });
    await expect(killed).rejects.toMatchObject({ code: 'COMPUTE_STOPPED' });
    const seen: TrainEvent[] = [];
    const resumed = await mortal.train(request('killed', {}, true), { onEvent: (e) => seen.push(e) });
    mortal.dispose();
    expect(seen[0]).toMatchObject({ type: 'resumed', step: 7, epoch: 1, epochs: [{ epoch: 1, step: 7 }] });
    expect(resumed.steps).toBe(21);
    expect(resumed.bestValidationLoss).toBe(done.bestValidationLoss);
    expect(await lastWeights('killed')).toBe(await lastWeights('whole'));
  });

  it('stops between two steps when cancelled, keeps where it stood, and goes on from there', async () => {
    const stop = new AbortController();
    const cancelled = compute.train(request('cancelled'), {
      signal: stop.signal,
      onEvent: () => {
        stop.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
    const [saved] = (await readdir(join(root, 'cancelled'))).sort();
    expect(saved).toMatch(/^checkpoint-\d+$/);
    await compute.train(request('cancelled', {}, true));
    expect(await lastWeights('cancelled')).toBe(await lastWeights('whole'));
  });

  it('refuses to go on with other settings', async () => {
    await expect(compute.train(request('whole', { learningRate: 1e-4 }, true))).rejects.toMatchObject({
      kind: 'user',
      code: 'RESUME_MISMATCH',
    });
  });

  it('answers at once for a run that is complete', async () => {
    const again = await compute.train(request('whole', {}, true));
    expect(again).toMatchObject({ bestEpoch: done.bestEpoch, steps: 21 });
  });

  it('stops early after epochs without gain', async () => {
    // A rate of almost zero: rounding decides, and the second of two equal losses is no gain.
    const early = await compute.train(request('early', { epochs: 9, patience: 2, learningRate: 1e-30 }));
    expect(early).toMatchObject({ stoppedEarly: true, bestEpoch: 1, steps: 21 });
    expect((await readdir(join(root, 'early'))).length).toBe(3);
    expect(await readdir(early.bestFolder)).not.toContain('optimizer.safetensors');
  });

  it('does not depend on how a step is cut into runs', async () => {
    const wide = await compute.train(request('wide', { batchSize: 8, accumulation: 1, dropout: 0 }));
    const narrow = await compute.train(request('narrow', { batchSize: 2, accumulation: 4, dropout: 0 }));
    // Sums in another order, through 21 steps of Adam.
    expect(narrow.bestValidationLoss).toBeCloseTo(wide.bestValidationLoss, 3);
  });

  it('names what does not fit', async () => {
    const long = { ...request('long'), train: block(4, 80) };
    await expect(compute.train(long)).rejects.toMatchObject({ kind: 'user', code: 'BLOCK_TOO_LONG' });
    const empty = { ...request('empty'), validation: { ...block(1, 40), count: 0 } };
    await expect(compute.train(empty)).rejects.toMatchObject({ kind: 'user', code: 'BLOCK_EMPTY' });
    const small = spawnCompute({ entry, threads: 1, memoryLimitBytes: 2 ** 20 });
    await expect(small.train(request('small'))).rejects.toMatchObject({ code: 'TRAINING_TOO_LARGE' });
    small.dispose();
  });

  it('reports a run that diverges', async () => {
    await expect(compute.train(request('wild', { learningRate: 1e30, clip: 0 }))).rejects.toMatchObject({
      kind: 'engine',
      code: 'TRAINING_DIVERGED',
    });
  });
});
