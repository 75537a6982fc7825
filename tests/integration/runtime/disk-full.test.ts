import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { TrainEvent, TrainRequest } from '../../../src/main/runtime/api.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { runTraining } from '../../../src/main/runtime/training/run.ts';
import { TRAINING_PRESETS } from '../../../src/shared/domain/index.ts';

/** Bytes that may still be written before the disk is full. */
const disk = vi.hoisted(() => ({ free: Infinity }));

vi.mock(import('node:fs/promises'), async (load) => {
  const actual = await load();
  const limited = (handle: FileHandle): FileHandle => {
    const write = handle.write.bind(handle) as (bytes: Uint8Array, at: number, length: number) => unknown;
    // The one form that the safetensors writer uses.
    Object.assign(handle, {
      write: (bytes: Uint8Array, at: number, length: number) => {
        disk.free -= length;
        if (disk.free < 0) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
        return write(bytes, at, length);
      },
    });
    return handle;
  };
  const open: typeof actual.open = async (...args) => limited(await actual.open(...args));
  return { ...actual, open };
});

const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'engram-full-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const LENGTH = 24;
const block = (count: number): TrainRequest['train'] => ({
  ids: Int32Array.from({ length: count * LENGTH }, (_, i) => (i * 17) % 101),
  lengths: new Int32Array(count).fill(LENGTH),
  count,
  length: LENGTH,
});

function train(name: string, onEpoch: (epoch: number) => void = () => undefined) {
  const request: TrainRequest = {
    folder,
    workFolder: join(root, name),
    train: block(24),
    validation: block(5),
    config: { ...TRAINING_PRESETS.quick, preset: 'own', epochs: 4, patience: 0, sequenceLength: LENGTH },
    eosTokenId: null,
    resume: true,
    samplePrompt: null,
    sampleTokens: 0,
  };
  const emit = (event: TrainEvent): void => {
    if (event.type === 'epoch') onEpoch(event.point.epoch);
  };
  return runTraining(request, { sessions, memoryLimitBytes: 2 ** 30, emit, checkpoint: () => undefined });
}

async function lastWeights(name: string): Promise<string> {
  const last = (await readdir(join(root, name))).sort().at(-1) ?? '';
  return createHash('sha256')
    .update(await readFile(join(root, name, last, 'model.safetensors')))
    .digest('hex');
}

it.each([
  { where: 'in the weights', room: 50_000 },
  { where: 'in the optimiser’s state', room: 300_000 },
])(
  'ends a run whose disk is full $where with a message, and goes on when there is room',
  async ({ room }) => {
    const name = `full-${room}`;
    await expect(
      train(name, (epoch) => {
        if (epoch === 2) disk.free = room;
      }),
    ).rejects.toMatchObject({
      kind: 'store',
      code: 'DISK_FULL',
      message: expect.stringContaining('checkpoint-00000009') as string,
      next: expect.stringContaining('Free some space') as string,
    });
    // What was there is there still, and nothing half-written lies beside it.
    expect((await readdir(join(root, name))).sort()).toEqual(['checkpoint-00000003', 'checkpoint-00000006']);
    disk.free = Infinity;
    const resumed = await train(name);
    const calm = await train(`calm-${room}`);
    expect(resumed).toMatchObject({ steps: 12, bestValidationLoss: calm.bestValidationLoss });
    expect(await lastWeights(name)).toBe(await lastWeights(`calm-${room}`));
  },
);
