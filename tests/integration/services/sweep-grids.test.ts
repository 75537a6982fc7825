import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { patchRequest } from '../../../src/main/jobs/sweep-request.ts';
import type { PatchBlock } from '../../../src/main/runtime/api.ts';
import { describeSpec, specNames } from '../../../src/main/services/compare/settings.ts';
import { sweepBlocks } from '../../../src/main/services/report/sweep-sections.ts';
import { createGridReader } from '../../../src/main/services/sweeps/grids.ts';
import { effectRows, storedResult } from '../../../src/main/services/sweeps/table.ts';
import { SweepSpec, type SweepHookGrid, type SweepId } from '../../../src/shared/domain/index.ts';
import { siteName } from '../../../src/shared/figures/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const folder = mkdtempSync(join(tmpdir(), 'engram-grids-'));
let core: Core;

/** A copy of the tiny model whose weights are a little larger: another model of the same shape. */
function grownModel(): string {
  const copy = join(folder, 'grown');
  cpSync(join(REFERENCE, 'tiny-gpt2'), copy, { recursive: true });
  const file = join(copy, 'model.safetensors');
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  for (let at = start; at + 4 <= bytes.length; at += 4) bytes.writeFloatLE(1.1 * bytes.readFloatLE(at), at);
  writeFileSync(file, bytes);
  return copy;
}

/** Twelve tokens a prompt; `subject` stands at the same tokens of both, `who` at others. */
function pairLines(): string {
  const lines = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8').trim().split('\n');
  const spans = {
    clean: { subject: [2, 7], who: [5, 7], END: [11, 12] },
    corrupted: { subject: [2, 7], who: [3, 5], END: [11, 12] },
  };
  return lines
    .map((line, i) => {
      const row = JSON.parse(line) as { id: string; clean: { ids: number[] } };
      return JSON.stringify(row.clean.ids.length < 12 || i === 3 ? row : { ...row, spans });
    })
    .join('\n');
}

beforeAll(async () => {
  core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
  });
  const { queue } = await core.context.session.create(join(folder, 'study'), 'Grids of sweeps');
  for (const [path, name] of [
    [join(REFERENCE, 'tiny-gpt2'), 'tiny'],
    [grownModel(), 'grown'],
  ] as const) {
    const { jobId } = await core.client.models.importFolder({
      handle: core.files.register(path).handle,
      name,
    });
    await queue.wait(jobId);
  }
  await core.client.pairs.import({ name: 'pairs', text: pairLines() });
}, 60_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const study = () => core.context.session.require().study;
const modelId = (name: string) =>
  study()
    .models.list()
    .find((m) => m.name === name)?.id;

function specOf(part: Record<string, unknown>): SweepSpec {
  return SweepSpec.parse({
    modelId: modelId('tiny'),
    pairSetId: study().pairs.sets()[0]?.id,
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
  expect(study().sweeps.get(sweepId).status).toBe('complete');
  return sweepId;
}

/** Whole runs of the model once per site give what was stored. */
async function expectNaive(id: SweepId): Promise<void> {
  const blocks: PatchBlock[] = [];
  await core.compute.patch(
    { ...patchRequest(study(), id), strategy: 'naive' },
    { onEvent: (block) => blocks.push(block) },
  );
  for (const block of blocks) {
    const stored = study()
      .blocks.read(id, block.grid, 0)
      .find(({ pair }) => pair === block.pair);
    expect(stored?.shape).toEqual(block.shape);
    block.raw[0]?.forEach((value, i) => {
      if (Number.isNaN(value)) expect(stored?.raw[i]).toBeNaN();
      else expect(Math.abs(value - (stored?.raw[i] ?? Number.NaN))).toBeLessThan(5e-5);
    });
    expect(stored?.clean).toBeCloseTo(block.clean[0] ?? Number.NaN, 4);
    expect(stored?.corrupted).toBeCloseTo(block.corrupted[0] ?? Number.NaN, 4);
  }
}

/** The sweep's part of a report, as it is printed. */
function reportOf(id: SweepId): string {
  const blocks = sweepBlocks(study(), createGridReader(), study().sweeps.get(id));
  return blocks.map((block) => block.text).join('\n');
}

const RESID = 'blocks.{layer}.hook_resid_pre' as const;
const Z = 'blocks.{layer}.attn.hook_z' as const;
const POST = 'blocks.{layer}.mlp.hook_post' as const;
const MLP = 'blocks.{layer}.hook_mlp_out' as const;

describe('grids of a study', () => {
  it('spans are an axis; pairs without them are left out with the reason', async () => {
    const bySpan: SweepHookGrid = { hook: MLP, axes: 'layer_span', spans: ['subject', 'who'] };
    const heads: SweepHookGrid = { hook: Z, axes: 'layer_head_span', spans: ['who'] };
    const id = await sweep({ grids: [bySpan, heads] });
    const { plan } = study().sweeps.get(id);
    expect(plan?.skipped.map(({ reason }) => reason)).toContain(
      'Pair “three-positions” has no span “subject”.',
    );
    await expectNaive(id);
    const grid = await core.client.sweeps.grid({ id, ...bySpan, metric: 'logit_diff' });
    expect(grid).toMatchObject({ layers: 3, columns: 2, columnLabels: ['subject', 'who'] });
    expect(grid.recovery.every((value) => value !== null)).toBe(true);
    expect(siteName(grid, { layer: 1, column: 1 })).toBe('Layer 1, who');
    const cell = await core.client.sweeps.site({
      id,
      ...heads,
      metric: 'logit_diff',
      layer: 1,
      column: 2,
    });
    expect(cell).toMatchObject({ head: 2, position: null, span: 'who' });
    expect(cell.title).toContain('head 2, span “who”');
    const report = reportOf(id);
    expect(report).toContain('MLP output, spans subject, who');
    expect(report).toContain('<svg');
    expect(report).toMatch(/Kendall’s W = \d/);
    const rows = effectRows(storedResult(study(), id));
    expect(new Set(rows.map(({ span }) => span))).toEqual(new Set(['subject', 'who']));
  });

  it('neurons of one layer, and no other', async () => {
    const neurons: SweepHookGrid = {
      hook: POST,
      axes: 'layer_neuron',
      onlyLayers: [1],
      neurons: [3, 8, 100],
    };
    const spec = specOf({ grids: [neurons] });
    const plan = await core.client.sweeps.plan(spec);
    expect(plan.sites).toBe(3 * plan.pairs);
    const id = await sweep({ grids: [neurons] });
    await expectNaive(id);
    const grid = await core.client.sweeps.grid({ id, ...neurons, metric: 'logit_diff' });
    expect(grid.columnLabels).toEqual(['3', '8', '100']);
    expect(grid.state).toEqual([
      ...['missing', 'missing', 'missing'],
      ...['open', 'open', 'open'],
      ...['missing', 'missing', 'missing'],
    ]);
    expect(siteName(grid, { layer: 1, column: 2 })).toBe('Layer 1, neuron 100');
    const site = await core.client.sweeps.site({ id, ...neurons, metric: 'logit_diff', layer: 1, column: 1 });
    expect(site).toMatchObject({ neuron: 8, head: null });
    const report = reportOf(id);
    expect(report).toContain('Layer 1, neuron 100');
    expect(report).not.toContain('<svg');
    const rows = effectRows(storedResult(study(), id));
    expect(rows).toHaveLength(3 * plan.pairs);
    expect(new Set(rows.map(({ layer, neuron }) => `${String(layer)} ${String(neuron)}`))).toEqual(
      new Set(['1 3', '1 8', '1 100']),
    );
    await expect(
      core.client.sweeps.plan(specOf({ grids: [{ ...neurons, neurons: [999] }] })),
    ).rejects.toMatchObject({ code: 'SITE_OUTSIDE' });
    await expect(
      core.client.sweeps.plan(specOf({ grids: [{ ...neurons, onlyLayers: [7] }] })),
    ).rejects.toThrow(/no layer 7/);
  });

  it('one place, and values that come from another', async () => {
    const at: SweepHookGrid = { hook: RESID, axes: 'layer', at: 'who' };
    const across: SweepHookGrid = { hook: RESID, axes: 'layer', at: -1, from: 'END' };
    const moved: SweepHookGrid = { hook: MLP, axes: 'layer', at: 'END', from: 6 };
    const id = await sweep({ grids: [at, across, moved] });
    await expectNaive(id);
    const [last, end] = [
      await core.client.sweeps.grid({ id, ...across, metric: 'logit_diff' }),
      await core.client.sweeps.grid({ id, ...moved, metric: 'logit_diff' }),
    ];
    // Three grids over one hook and more are kept apart by their places.
    expect(last.at).toBe(-1);
    expect(end).toMatchObject({ at: 'END', from: 6 });
    const rows = effectRows(storedResult(study(), id));
    expect(new Set(rows.map(({ at: to, from }) => `${String(to)} ${String(from)}`))).toEqual(
      new Set(['who null', '-1 END', 'END 6']),
    );
  });
});

describe('sources of a study', () => {
  it.each([
    ['zero', { kind: 'zero' }, 'zero (ablation)'],
    ['mean', { kind: 'mean' }, 'the mean over all tokens'],
    ['mean by position', { kind: 'mean', perPosition: true }, 'at the same position'],
    ['resample', { kind: 'resample' }, 'another pair of the same length'],
  ] as const)(
    '%s: stored as whole runs give it, and said in report and methods',
    async (_name, source, words) => {
      const grids = [{ hook: Z, axes: 'layer_head' }];
      // The short pair has no other prompt of its length.
      const only = _name === 'resample' ? [{ hook: Z, axes: 'layer_head', at: 'END' }] : grids;
      const id = await sweep({ grids: only, source, direction: 'noising' });
      await expectNaive(id);
      const { text } = await core.client.report.methods({ id });
      expect(text).toContain(words);
      const stored = study().sweeps.get(id);
      const settings = describeSpec(stored, specNames(study(), stored));
      expect(settings.find(({ name }) => name === 'Pasted from')?.value).toContain(words);
      const [first] = stored.spec.grids;
      const grid = await core.client.sweeps.grid({ id, ...first!, metric: 'logit_diff' });
      expect(grid.recovery.some((value) => value !== null && Math.abs(value) > 1e-3)).toBe(true);
    },
  );

  it('another model: both baselines are of the clean prompt', async () => {
    const grid: SweepHookGrid = { hook: RESID, axes: 'layer_position' };
    const source = { kind: 'model', modelId: modelId('grown') };
    const id = await sweep({ grids: [grid], source });
    const [stored] = study().blocks.read(id, 0, 0);
    expect(stored?.clean).not.toBeCloseTo(stored?.corrupted ?? 0, 3);
    const { text } = await core.client.report.methods({ id });
    expect(text).toContain('read by grown');
    expect(study().sweeps.get(id).warnings.join(' ')).toContain('Both baselines are of the clean prompt');
    // The last layer at the read position restores what the other model's stream says there under this one's head.
    const shown = await core.client.sweeps.grid({ id, ...grid, metric: 'logit_diff' });
    expect(shown.recovery.some((value) => value !== null && Math.abs(value) > 1e-2)).toBe(true);
  });

  it('estimates refuse other sources, and ablation under denoising is warned of', async () => {
    const part = { grids: [{ hook: Z, axes: 'layer_head' }], source: { kind: 'zero' } };
    await expect(core.client.sweeps.plan(specOf({ ...part, method: 'atp' }))).rejects.toMatchObject({
      code: 'ATTRIBUTION_SOURCE',
    });
    const plan = await core.client.sweeps.plan(specOf(part));
    expect(plan.warnings.join(' ')).toContain('it belongs to noising');
  });
});
