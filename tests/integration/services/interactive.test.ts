import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { idleCompute } from '../../../src/main/hosts/idle-compute.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { spawnCompute } from '../../../src/main/runtime/client.ts';
import { PairLine, type Model } from '../../../src/shared/domain/index.ts';

const paths = appPaths();
let folder: string;
let core: Core;
let model: Model;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-interactive-'));
  core = compose({
    paths,
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
    threads: 1,
  });
  await core.context.session.create(join(folder, 'study'), 'Study');
  model = await core.client.models.create({
    name: 'small',
    nLayer: 2,
    nHead: 2,
    dModel: 16,
    nCtx: 64,
    tokenizer: 'sample',
    seed: 1,
  });
}, 60_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const line = PairLine.parse({
  id: 'p',
  clean: 'Patients with focal epilepsy',
  corrupted: 'Patients with focal seizures',
  answer: [' have'],
  wrong: [' had'],
});

describe('questions a person waits for', () => {
  it('are answered by a process of their own, so that no training holds them up', async () => {
    const { run } = await core.client.pairs.check({ modelId: model.id, line });
    expect(run?.cleanTop).toHaveLength(10);
    const { text } = await core.client.models.generate({ id: model.id, prompt: 'Patients', tokens: 3 });
    expect(text.length).toBeGreaterThan(0);
    expect(core.compute.running).toBe(false);
  });

  it('get the same numbers from either process', async () => {
    const { run, tokens } = await core.client.pairs.check({ modelId: model.id, line });
    const artifact = core.context.session.require().study;
    const { logits } = await core.compute.logits({
      folder: artifact.artifacts.path(artifact.models.artifactOf(model.id)),
      prompts: [tokens.clean.map(({ id }) => id), tokens.corrupted.map(({ id }) => id)],
    });
    expect(core.compute.running).toBe(true);
    const of = (row: Float32Array | undefined, ids: readonly { id: number }[]): number =>
      ids.reduce((sum, { id }) => sum + (row?.[id] ?? Number.NaN), 0) / ids.length;
    const difference = of(logits[0], tokens.answer.flat()) - of(logits[0], tokens.wrong.flat());
    expect(run?.cleanLogitDiff).toBeCloseTo(difference, 5);
  });
});

describe('a process that is not asked', () => {
  it('ends after a while, and the next call starts another', async () => {
    const compute = idleCompute(spawnCompute({ entry: paths.compute, threads: 1 }), 20);
    await Promise.all([compute.info(), compute.info()]);
    expect(compute.running).toBe(true);
    await expect.poll(() => compute.running).toBe(false);
    await expect(compute.info()).resolves.toMatchObject({ provider: 'cpu' });
    compute.dispose();
    await expect(compute.info()).rejects.toMatchObject({ code: 'COMPUTE_CLOSED' });
  });
});
