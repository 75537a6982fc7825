import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planMemory, trainingBytes, type MemoryMode } from '../../../src/main/engine/nn/trainingCost.ts';
import { openModelFolder, type TokenBlock } from '../../../src/main/models/index.ts';
import type { TrainEvent, TrainRequest } from '../../../src/main/runtime/api.ts';
import { spawnCompute } from '../../../src/main/runtime/client.ts';
import { TRAINING_PRESETS, type TrainingConfig } from '../../../src/shared/domain/index.ts';

const entry = fileURLToPath(new URL('../../../src/main/runtime/worker.ts', import.meta.url));
const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const PARAMETERS = 46_976;
const LENGTH = 40;
/** Kills of one run; the long check is ENGRAM_KILLS=100 npx vitest run tests/integration/runtime/resume.test.ts. */
const KILLS = Number(process.env['ENGRAM_KILLS'] ?? 4);

const CONFIG: TrainingConfig = {
  ...TRAINING_PRESETS.I,
  preset: 'own',
  epochs: 4,
  patience: 0,
  learningRate: 3e-3,
  batchSize: 4,
  accumulation: 2,
  warmupSteps: 3,
  sequenceLength: LENGTH,
};

function block(count: number): TokenBlock {
  const lengths = Int32Array.from({ length: count }, (_, i) => 5 + ((i * 7) % (LENGTH - 5)));
  const ids = Int32Array.from({ length: count * LENGTH }, (_, i) => {
    const [row, t] = [Math.floor(i / LENGTH), i % LENGTH];
    return t < (lengths[row] ?? 0) ? (row * 13 + t * 17) % 101 : 210;
  });
  return { ids, lengths, count, length: LENGTH };
}

let root: string;
const limits = new Map<MemoryMode, number>();
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'engram-resume-'));
  const { config } = await openModelFolder(folder);
  for (const mode of ['whole', 'layers'] as const) {
    const limit = trainingBytes(mode, config, PARAMETERS, CONFIG.batchSize, LENGTH) + 4096;
    limits.set(mode, limit);
    // The mode is chosen by the limit.
    expect(planMemory(config, PARAMETERS, CONFIG.batchSize, LENGTH, limit)).toMatchObject({ mode, rows: 4 });
  }
});
afterAll(() => rm(root, { recursive: true, force: true }));

function request(name: string): TrainRequest {
  return {
    folder,
    workFolder: join(root, name),
    train: block(50),
    validation: block(11),
    config: CONFIG,
    eosTokenId: 210,
    resume: true,
    samplePrompt: null,
    sampleTokens: 0,
  };
}

async function weights(name: string): Promise<string> {
  const last = (await readdir(join(root, name))).sort().at(-1) ?? '';
  const hash = createHash('sha256');
  for (const file of ['model.safetensors', 'optimizer.safetensors'])
    hash.update(await readFile(join(root, name, last, file)));
  return hash.digest('hex');
}

interface Curves {
  readonly losses: Map<number, number>;
  readonly validation: Map<number, number>;
}
const listener =
  ({ losses, validation }: Curves, also: (event: TrainEvent) => void = () => undefined) =>
  (event: TrainEvent): void => {
    if (event.type === 'steps') for (const s of event.steps) losses.set(s.step, s.loss);
    if (event.type === 'resumed') {
      for (const s of event.steps) losses.set(s.step, s.loss);
      for (const e of event.epochs) validation.set(e.epoch, e.validationLoss);
    }
    if (event.type === 'epoch') validation.set(event.point.epoch, event.point.validationLoss);
    also(event);
  };

/** Moments at which a run is killed: at once, at a step, while a checkpoint is being written, after some time. */
function killer(name: string, turn: number, kill: () => void): (event: TrainEvent) => void {
  const partial = (): boolean => {
    const folder = join(root, name);
    return existsSync(folder) && readdirSync(folder).some((file) => file.endsWith('.partial'));
  };
  const moments: readonly ((event: TrainEvent) => void)[] = [
    (event) => {
      if (event.type === 'steps') kill();
    },
    (event) => {
      if (event.type !== 'steps') return;
      const watch = setInterval(() => {
        if (!partial()) return;
        clearInterval(watch);
        kill();
      }, 1);
      setTimeout(() => {
        clearInterval(watch);
      }, 5000);
    },
    (event) => {
      if (event.type === 'epoch') kill();
    },
    (event) => {
      if (event.type === 'resumed') setTimeout(kill, (turn * 37) % 200);
    },
  ];
  return moments[turn % moments.length] ?? (() => undefined);
}

describe.each(['whole', 'layers'] as const)('a run computed in the mode “%s”', (mode) => {
  it(`ends with the same weights, moments and curves when it is killed ${KILLS} times`, async () => {
    const open = (): ReturnType<typeof spawnCompute> =>
      spawnCompute({ entry, threads: 1, memoryLimitBytes: limits.get(mode) ?? 0 });
    const calm: Curves = { losses: new Map(), validation: new Map() };
    const undisturbed = open();
    const done = await undisturbed.train(request(`${mode}-calm`), { onEvent: listener(calm) });
    undisturbed.dispose();

    const name = `${mode}-killed`;
    const curves: Curves = { losses: new Map(), validation: new Map() };
    let kills = 0;
    for (let turn = 0; turn < KILLS; turn++) {
      const mortal = open();
      const outcome = mortal.train(request(name), {
        onEvent: listener(
          curves,
          killer(name, turn, () => {
            mortal.kill();
          }),
        ),
      });
      // The last of many attempts may come through.
      await outcome.catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'COMPUTE_STOPPED' });
        kills++;
      });
      mortal.dispose();
    }
    expect(kills).toBeGreaterThan(0);
    const survivor = open();
    const resumed = await survivor.train(request(name), { onEvent: listener(curves) });
    survivor.dispose();
    expect(resumed).toMatchObject({ steps: done.steps, bestValidationLoss: done.bestValidationLoss });
    expect(await weights(name)).toBe(await weights(`${mode}-calm`));
    expect([...curves.validation].sort()).toEqual([...calm.validation].sort());
    const same = [...calm.losses].filter(([step, loss]) => curves.losses.get(step) !== loss);
    expect(same).toEqual([]);
  });
});

it('keeps to its mode when the limit has changed', async () => {
  const low = spawnCompute({ entry, threads: 1, memoryLimitBytes: limits.get('layers') ?? 0 });
  const stop = new AbortController();
  const first = low.train(request('changed'), {
    signal: stop.signal,
    onEvent: () => {
      stop.abort();
    },
  });
  await expect(first).rejects.toMatchObject({ kind: 'cancelled' });
  low.dispose();
  const high = spawnCompute({ entry, threads: 1, memoryLimitBytes: 2 ** 30 });
  await high.train(request('changed'));
  high.dispose();
  expect(await weights('changed')).toBe(await weights('layers-calm'));
});
