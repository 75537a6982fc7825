import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { patchRequest } from '../../../src/main/jobs/sweep-request.ts';
import type { PatchBlock } from '../../../src/main/runtime/api.ts';
import { verifyStudy } from '../../../src/main/services/verify.ts';
import { SweepSpec, type SweepHookGrid, type SweepId } from '../../../src/shared/domain/index.ts';
import { siteName } from '../../../src/shared/figures/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const folder = mkdtempSync(join(tmpdir(), 'engram-kinds-'));
let core: Core;

beforeAll(async () => {
  core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
  });
  await core.context.session.create(join(folder, 'study'), 'Kinds of sweeps');
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

const MLP = { hook: 'blocks.{layer}.hook_mlp_out', axes: 'layer_position' } as const;
const HEADS = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' } as const;

function specOf(part: Record<string, unknown>): SweepSpec {
  const { study } = core.context.session.require();
  return SweepSpec.parse({
    modelId: study.models.list()[0]?.id,
    pairSetId: study.pairs.sets()[0]?.id,
    direction: 'denoising',
    method: 'exact',
    corruption: 'str',
    metrics: ['logit_diff'],
    ...part,
  });
}

async function sweep(part: Record<string, unknown>): Promise<SweepId> {
  const { sweepId, jobId } = await core.client.sweeps.start({ spec: specOf(part), name: 'sweep' });
  await core.context.session.require().queue.wait(jobId);
  return sweepId;
}

describe('a window study', () => {
  it('keeps single layers and windows apart everywhere', async () => {
    const window: SweepHookGrid = { ...MLP, window: 2 };
    const id = await sweep({ grids: [MLP, window] });
    const metric = 'logit_diff' as const;
    const [single, wide] = [
      await core.client.sweeps.grid({ id, ...MLP, metric }),
      await core.client.sweeps.grid({ id, ...window, metric }),
    ];
    expect([single.window, wide.window]).toEqual([undefined, 2]);
    // [l − 1, l + 1): the first window holds layer 0 alone, the others two layers.
    const row = (grid: typeof single, layer: number): (number | null)[] =>
      grid.recovery.slice(layer * grid.columns, (layer + 1) * grid.columns);
    row(single, 0).forEach((value, i) => expect(row(wide, 0)[i]).toBeCloseTo(value ?? Number.NaN, 4));
    expect(row(wide, 1).some((value, i) => Math.abs((value ?? 0) - (row(single, 1)[i] ?? 0)) > 1e-3)).toBe(
      true,
    );
    expect(siteName(wide, { layer: 2, column: 3 })).toContain('Layers 1–2');
    await expect(core.client.sweeps.grid({ id, ...MLP, window: 5, metric })).rejects.toMatchObject({
      code: 'GRID_NOT_IN_SWEEP',
    });
    const site = await core.client.sweeps.site({ id, ...window, metric, layer: 2, column: 3 });
    expect(site.title).toContain('layers 1–2');
  });
});

describe('a sweep under Gaussian noise', () => {
  it('stores the mean over a pair’s draws with the spread, the same as its own draws give', async () => {
    const id = await sweep({ grids: [HEADS], corruption: 'gn', noise: { draws: 3, scale: 3 } });
    const { study } = core.context.session.require();
    const blocks: PatchBlock[] = [];
    await core.compute.patch(patchRequest(study, id), { onEvent: (block) => blocks.push(block) });
    expect(blocks).toHaveLength(18);
    const stored = study.blocks.read(id, 0, 0);
    expect(stored).toHaveLength(6);
    for (const { pair, raw, corrupted, drawSd } of stored) {
      const own = blocks.filter((block) => block.pair === pair);
      const draws = own.map((block) => block.raw[0]?.[5] ?? Number.NaN);
      const mean = draws.reduce((a, b) => a + b, 0) / 3;
      expect(raw[5]).toBeCloseTo(mean, 5);
      expect(drawSd?.[5]).toBeCloseTo(Math.sqrt(draws.reduce((a, b) => a + (b - mean) ** 2, 0) / 2), 5);
      expect(corrupted).toBeCloseTo(own.reduce((a, b) => a + (b.corrupted[0] ?? 0), 0) / 3, 5);
    }
    const grid = await core.client.sweeps.grid({ id, ...HEADS, metric: 'logit_diff' });
    expect(grid.drawSd?.every((value) => value !== null && value >= 0)).toBe(true);
    expect(grid.drawSd?.some((value) => (value ?? 0) > 1e-4)).toBe(true);
    const check = await verifyStudy(study, core.compute, 1000);
    expect(check.effects.different).toEqual([]);
    const { text } = await core.client.report.methods({ id });
    expect(text).toContain('Gaussian noise of 3 SD');
  });

  it('refuses spans that a pair does not have, and estimates', async () => {
    const spans = { grids: [HEADS], corruption: 'gn', noise: { spans: ['nowhere'] } };
    await expect(core.client.sweeps.plan(specOf(spans))).rejects.toMatchObject({
      code: 'NOISE_SPAN_UNKNOWN',
    });
    const estimated = { grids: [HEADS], corruption: 'gn', method: 'atp' };
    await expect(core.client.sweeps.plan(specOf(estimated))).rejects.toMatchObject({ kind: 'user' });
  });
});

describe('sweeps beside each other', () => {
  it('gives what each metric detects, and how sweeps agree', async () => {
    const metrics = ['logit_diff', 'prob', 'kl'];
    const [str, gn] = [
      await sweep({ grids: [HEADS], metrics }),
      await sweep({ grids: [HEADS], metrics, corruption: 'gn', noise: { draws: 2, scale: 3 } }),
    ];
    const { rows } = await core.client.compare.several({ ids: [str, gn], ...HEADS });
    expect(rows.slice(0, 3).map(({ metric }) => metric)).toEqual([
      'logit difference',
      'probability of the answer',
      'KL divergence from clean',
    ]);
    expect(rows).toHaveLength(6);
    expect(rows[0]?.spearman).toBeNull();
    expect(rows[3]?.corruption).toContain('noise');
    const grid = await core.client.sweeps.grid({ id: str, ...HEADS, metric: 'logit_diff' });
    expect([...(rows[0]?.positive ?? []), ...(rows[0]?.negative ?? [])].length).toBe(
      grid.detected.filter(Boolean).length,
    );
  });

  it('sums single layers over each window, and takes the ratio of the peaks', async () => {
    const window: SweepHookGrid = { ...MLP, window: 2 };
    const id = await sweep({ grids: [MLP, window] });
    const metric = 'logit_diff' as const;
    const study = await core.client.sweeps.windows({ id, ...window, metric });
    const single = await core.client.sweeps.grid({ id, ...MLP, metric });
    const at = (layer: number, column: number): number =>
      single.recovery[layer * single.columns + column] ?? 0;
    const column = study.peaks.findIndex(({ ratio }) => ratio !== null);
    expect(study.sums[2 * study.columns + column]).toBeCloseTo(at(1, column) + at(2, column), 10);
    const { peakWindow, peakSum, ratio } = study.peaks[column] ?? {};
    expect(ratio).toBeCloseTo((peakWindow ?? Number.NaN) / (peakSum ?? Number.NaN), 10);
  });

  it('compares question types, and refuses with the reason where there are too few pairs', async () => {
    const lines = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8').trim().split('\n');
    const typed = Array.from({ length: 4 }, (_, round) =>
      lines.map((line, i) =>
        JSON.stringify({
          ...(JSON.parse(line) as object),
          id: `${round}-${i}`,
          item: `${round}-${i}`,
          type: i === 0 && round === 0 ? 'rare' : i % 2 === 0 ? 'definitional' : 'associative',
        }),
      ),
    ).flat();
    const { set } = await core.client.pairs.import({ name: 'typed', text: typed.join('\n') });
    const id = await sweep({ grids: [HEADS], pairSetId: set.id });
    const view = await core.client.compare.types({ id, ...HEADS, metric: 'logit_diff' });
    expect(view.types.map(({ type, clusters }) => [type, clusters])).toEqual([
      ['associative', 12],
      ['definitional', 11],
      ['rare', 1],
    ]);
    const [first, ...rare] = view.differences;
    const [x, y] = view.types;
    expect(first?.value).toBeCloseTo((x?.topShare ?? 0) - (y?.topShare ?? 0), 10);
    expect(first?.p).toBeGreaterThan(0);
    expect(first?.pHolm).toBe(first?.p);
    expect(first?.low).toBeLessThanOrEqual(first?.value ?? 0);
    expect(first?.high).toBeGreaterThanOrEqual(first?.value ?? 0);
    for (const row of rare) {
      expect(row.p).toBeNull();
      expect(row.caveat).toContain('at least 3');
    }
    const residual = { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' } as const;
    const other = await sweep({ grids: [residual], pairSetId: set.id });
    const none = await core.client.compare.types({ id: other, ...residual, metric: 'logit_diff' });
    expect(none.refusal).toContain('Residual');
  });
});
