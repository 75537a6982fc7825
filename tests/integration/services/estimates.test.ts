import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { verifyTop } from '../../../src/main/services/sweeps/exact.ts';
import { patchRequest } from '../../../src/main/jobs/sweep-request.ts';
import type { PatchBlock } from '../../../src/main/runtime/api.ts';
import { verifyStudy } from '../../../src/main/services/verify.ts';
import { HookName, SweepSpec, type SweepId } from '../../../src/shared/domain/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const folder = mkdtempSync(join(tmpdir(), 'engram-estimates-'));
let core: Core;

beforeAll(async () => {
  core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
  });
  await core.context.session.create(join(folder, 'study'), 'Estimates');
  const { jobId } = await core.client.models.importFolder({
    handle: core.files.register(join(REFERENCE, 'tiny-gpt2')).handle,
    name: 'tiny',
  });
  await core.context.session.require().queue.wait(jobId);
  const text = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8');
  await core.client.pairs.import({ name: 'pairs', text });
}, 60_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

async function sweep(method: SweepSpec['method']): Promise<SweepId> {
  const { study, queue } = core.context.session.require();
  const spec = SweepSpec.parse({
    modelId: study.models.list()[0]?.id,
    pairSetId: study.pairs.sets()[0]?.id,
    grids: [
      { hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position' },
      { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' },
    ],
    direction: 'denoising',
    method,
    corruption: 'str',
    metrics: ['logit_diff'],
  });
  const plan = await core.client.sweeps.plan(spec);
  expect(plan.warnings.some((w) => w.includes('estimated by gradients'))).toBe(method !== 'exact');
  expect(plan.runs).toBeGreaterThan(0);
  const { sweepId, jobId } = await core.client.sweeps.start({ spec, name: method });
  await queue.wait(jobId);
  expect((await core.client.sweeps.get({ id: sweepId })).status).toBe('complete');
  return sweepId;
}

describe('a sweep estimated by gradients', () => {
  const z = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head', metric: 'logit_diff' } as const;

  it('is stored, read and verified like an exact one', async () => {
    const id = await sweep('atp');
    const grid = await core.client.sweeps.grid({ id, ...z });
    expect(grid).toMatchObject({ layers: 3, columns: 4, pairsDone: 6 });
    const { text } = await core.client.report.methods({ id });
    expect(text).toContain('attribution patching');
    const { study } = core.context.session.require();
    const check = await verifyStudy(study, core.compute, 10);
    expect(check.effects).toMatchObject({ different: [] });
    expect(check.effects.checked).toBeGreaterThanOrEqual(10);
  });

  it('has any of its sites patched exactly: the value of the exact sweep', async () => {
    const [estimated, exact] = [await sweep('ig'), await sweep('exact')];
    for (const [query, layer, column] of [
      [z, 1, 2],
      [
        { hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position', metric: 'logit_diff' } as const,
        2,
        11,
      ],
    ] as const) {
      const result = await core.client.sweeps.verifySite({ id: estimated, ...query, layer, column });
      const [own, other] = [
        await core.client.sweeps.site({ id: estimated, ...query, layer, column }),
        await core.client.sweeps.site({ id: exact, ...query, layer, column }),
      ];
      expect(result.estimated).toBeCloseTo(own.recovery ?? Number.NaN, 10);
      expect(result.exact).toBeCloseTo(other.recovery ?? Number.NaN, 4);
      expect(Math.abs((result.exact ?? 0) - (result.estimated ?? 0))).toBeGreaterThan(1e-4);
      // One pair is shorter: it has no position 11.
      expect(result.pairs).toHaveLength(column === 11 ? 5 : 6);
    }
    await expect(
      core.client.sweeps.verifySite({ id: estimated, ...z, layer: 9, column: 0 }),
    ).rejects.toMatchObject({
      code: 'SITE_UNKNOWN',
    });
  });

  it('verifies the strongest sites of every grid, over prompts of several lengths', async () => {
    const { study } = core.context.session.require();
    const id = study.sweeps.list().find((s) => s.spec.method === 'exact')?.id;
    if (id === undefined) throw new Error('an exact sweep was run');
    const request = patchRequest(study, id);
    const blocks: PatchBlock[] = [];
    await core.compute.attribute({ ...request, method: 'atp' }, { onEvent: (block) => blocks.push(block) });
    const verified = await verifyTop(core.compute, { request, epsilon: 1e-6, k: 4, estimated: blocks });
    expect(verified.map(({ hook, n }) => [hook, n])).toEqual(request.grids.map(({ hook }) => [hook, 4]));
    for (const { hook, sites, axes } of verified) {
      const grid = await core.client.sweeps.grid({
        id,
        hook: HookName.parse(hook),
        axes: axes.join('_') === 'layer_head' ? 'layer_head' : 'layer_position',
        metric: 'logit_diff',
      });
      const strengths = sites.map(({ estimated }) => Math.abs(estimated ?? 0));
      expect(strengths).toEqual([...strengths].sort((a, b) => b - a));
      for (const { at, exact } of sites) {
        const [layer = 0, column = 0] = at;
        expect(exact).toBeCloseTo(grid.recovery[layer * grid.columns + column] ?? Number.NaN, 4);
      }
    }
  });
});

describe('views of a sweep’s prompts', () => {
  it('show where a head looks and what the stream says', async () => {
    const [sweepRow] = await core.client.sweeps.list({});
    if (sweepRow === undefined) throw new Error('a sweep was run');
    const { id } = sweepRow;
    const view = await core.client.sweeps.attention({ id, pair: 'short', side: 'clean', layer: 2, head: 3 });
    expect(view).toMatchObject({ layer: 2, head: 3, heads: 4, pair: 'short' });
    expect(view.tokens).toHaveLength(9);
    const last = view.weights.slice(-9);
    expect(last.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 5);

    const lens = await core.client.sweeps.lens({ id, pair: 'short', side: 'clean', position: null });
    expect(lens).toMatchObject({ position: 8, pair: 'short' });
    expect(lens.layers).toHaveLength(4);
    const { study } = core.context.session.require();
    const stored = study.blocks.read(id, 0, 0);
    const index = study.sweeps.inputs(id).findIndex((input) => input.id === 'short');
    // Behind the last layer the lens is the model: its logit difference is the clean baseline.
    expect(lens.layers.at(-1)?.logitDiff).toBeCloseTo(stored.find((b) => b.pair === index)?.clean ?? 0, 4);
    await expect(
      core.client.sweeps.attention({ id, pair: 'none', side: 'clean', layer: 0, head: 0 }),
    ).rejects.toMatchObject({ code: 'PAIR_NOT_IN_SWEEP' });
  });
});
