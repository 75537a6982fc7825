import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose, type Core } from '../../src/main/hosts/compose.ts';
import { appPaths } from '../../src/main/hosts/paths.ts';
import type { Study } from '../../src/main/store/index.ts';
import { SweepSpec, type SweepId } from '../../src/shared/domain/index.ts';

const TINY = join(import.meta.dirname, '../reference/tiny-gpt2');

/** The services over a new study on disk that holds the tiny model and one empty pair set. */
export async function studyWithModel(): Promise<{ core: Core; study: Study; close: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-stored-'));
  const core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
  });
  const { study, queue } = await core.context.session.create(join(folder, 'study'), 'Stored sweeps');
  const { jobId } = await core.client.models.importFolder({
    handle: core.files.register(TINY).handle,
    name: 'tiny',
  });
  await queue.wait(jobId);
  await core.client.pairs.createSet({ name: 'pairs' });
  return {
    core,
    study,
    close: async () => {
      await core.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface StoredPair {
  readonly id: string;
  readonly item?: string;
  readonly type?: string;
  /** Baselines, one a metric of the sweep. */
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Metric of the patched run, metric by metric, layer × column. */
  readonly raw: readonly (readonly number[])[];
}

/** Stores a finished sweep with effects of the test's choosing: what a job would have written. */
export function storeSweep(
  study: Study,
  spec: Partial<SweepSpec>,
  shape: readonly [number, number],
  pairs: readonly StoredPair[],
): SweepId {
  const sweep = study.sweeps.insert({
    name: 'stored',
    spec: SweepSpec.parse({
      modelId: study.models.list()[0]?.id,
      pairSetId: study.pairs.sets()[0]?.id,
      grids: [{ hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' }],
      direction: 'denoising',
      method: 'exact',
      corruption: 'str',
      metrics: ['logit_diff'],
      ...spec,
    }),
    plan: null,
    warnings: [],
    inputs: pairs.map(({ id, item = id, type = null }) => ({
      id,
      item,
      type,
      clean: [1, 2],
      corrupted: [1, 3],
      answer: [4],
      wrong: [5],
      read: 1,
      labels: ['a', 'b'],
    })),
  });
  pairs.forEach(({ clean, corrupted, raw }, pair) =>
    study.blocks.store(sweep.id, {
      grid: 0,
      pair,
      shape,
      raw: raw.map((values) => Float64Array.from(values)),
      clean,
      corrupted,
      zero: new Uint8Array(shape[0] * shape[1]),
      trivial: new Uint8Array(shape[0] * shape[1]),
    }),
  );
  study.sweeps.update(sweep.id, { status: 'complete', finishedAt: new Date().toISOString() });
  return sweep.id;
}
