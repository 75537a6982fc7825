import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose, type Core } from '../../../src/main/hosts/compose.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { friedman } from '../../../src/main/engine/stats/index.ts';
import { patchRequest } from '../../../src/main/jobs/sweep-request.ts';
import type { AttentionOutcome } from '../../../src/main/runtime/api.ts';
import { SweepSpec, type SweepHookGrid, type SweepId } from '../../../src/shared/domain/index.ts';
import { storeSweep } from '../../support/stored-sweep.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const folder = mkdtempSync(join(tmpdir(), 'engram-readings-'));
let core: Core;

const spans = {
  clean: { subject: [4, 8], END: [11, 12] },
  corrupted: { subject: [4, 8], END: [11, 12] },
};

/** Four pairs of twelve tokens that differ within the subject. */
function pairLines(): string {
  const [line = ''] = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8').trim().split('\n');
  const row = JSON.parse(line) as { clean: { ids: number[] }; answer: unknown; wrong: unknown };
  return Array.from({ length: 4 }, (_, i) => {
    const corrupted = row.clean.ids.map((id, t) => (t === 5 || t === 7 ? (id + 13 * (i + 1)) % 200 : id));
    return JSON.stringify({ ...row, id: `p${i}`, corrupted: { ids: corrupted }, spans });
  }).join('\n');
}

beforeAll(async () => {
  core = compose({
    paths: appPaths(),
    folders: { data: join(folder, 'data'), studies: folder },
    host: 'browser',
  });
  const { queue } = await core.context.session.create(join(folder, 'study'), 'Readings');
  const { jobId } = await core.client.models.importFolder({
    handle: core.files.register(join(REFERENCE, 'tiny-gpt2')).handle,
    name: 'tiny',
  });
  await queue.wait(jobId);
  await core.client.pairs.import({ name: 'pairs', text: pairLines() });
}, 60_000);

afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const study = () => core.context.session.require().study;
async function sweep(part: Record<string, unknown>): Promise<SweepId> {
  const spec = SweepSpec.parse({
    modelId: study().models.list()[0]?.id,
    pairSetId: study().pairs.sets()[0]?.id,
    direction: 'denoising',
    method: 'exact',
    corruption: 'str',
    metrics: ['logit_diff', 'prob'],
    ...part,
  });
  const { sweepId, jobId } = await core.client.sweeps.start({ spec, name: 'sweep' });
  await core.context.session.require().queue.wait(jobId);
  return sweepId;
}
const MLP = { hook: 'blocks.{layer}.hook_mlp_out', axes: 'layer_position' } as const;
const HEADS: SweepHookGrid = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' };

describe('attention as the outcome of a joint patch', () => {
  it('gives means, change and intervals over pairs, as the engine reads them', async () => {
    const id = await sweep({ grids: [HEADS], direction: 'noising' });
    const sites = [
      { hook: HEADS.hook, layer: 0, head: 1 },
      { hook: HEADS.hook, layer: 1, head: 2 },
    ];
    const watch = [
      { layer: 1, head: 0 },
      { layer: 2, head: 3 },
    ];
    const looks = [
      { from: 'END', to: 'subject' },
      { from: -1, to: 2 },
    ];
    const view = await core.client.readings.attention({ id, sites, watch, looks });
    const outcomes: AttentionOutcome[] = [];
    const { grids: _grids, ...request } = patchRequest(study(), id);
    await core.compute.attentionOutcome(
      { ...request, sites, watch, looks },
      { onEvent: (outcome) => outcomes.push(outcome) },
    );
    expect(view).toMatchObject({ pairs: 4, clusters: 4, direction: 'noising' });
    expect(view.rows.map(({ layer, head, from, to }) => [layer, head, from, to])).toEqual([
      [1, 0, 'END', 'subject'],
      [1, 0, 'last token', 'token 2'],
      [2, 3, 'END', 'subject'],
      [2, 3, 'last token', 'token 2'],
    ]);
    for (const [i, row] of view.rows.entries()) {
      const mean = (run: 'clean' | 'corrupted' | 'patched') =>
        outcomes.reduce((sum, o) => sum + (o[run][i] ?? NaN), 0) / 4;
      expect(row.clean).toBeCloseTo(mean('clean'), 10);
      expect(row.corrupted).toBeCloseTo(mean('corrupted'), 10);
      expect(row.patched).toBeCloseTo(mean('patched'), 10);
      expect(row.change).toBeCloseTo(mean('patched') - mean('clean'), 10);
      expect(row.low).toBeLessThanOrEqual(row.change + 1e-12);
      expect(row.high).toBeGreaterThanOrEqual(row.change - 1e-12);
      // Four clusters cannot pass a correction for four cells: there is no p, and the reason is given.
      expect([row.p, row.pHolm]).toEqual([null, null]);
    }
    expect(view.caveats.join(' ')).toContain('over 4 clusters cannot go below p = 0.13');
    expect(view.metrics.map(({ metric }) => metric)).toEqual(['logit_diff', 'prob']);
    expect(view.metrics[0]?.patched).not.toBeCloseTo(view.metrics[0]?.clean ?? 0, 4);
  });

  it('averages draws of noise within a pair and names what is not there', async () => {
    const id = await sweep({ grids: [HEADS], corruption: 'gn', noise: { draws: 2, scale: 3 } });
    const query = {
      id,
      sites: [{ hook: HEADS.hook, layer: 0, head: 1 }],
      watch: [{ layer: 2, head: 0 }],
      looks: [{ from: 'END', to: 'subject' }],
    };
    const view = await core.client.readings.attention(query);
    expect(view.pairs).toBe(4);
    await expect(
      core.client.readings.attention({ ...query, looks: [{ from: 'END', to: 'object' }] }),
    ).rejects.toMatchObject({ code: 'SPAN_UNKNOWN' });
    await expect(
      core.client.readings.attention({ ...query, watch: [{ layer: 9, head: 0 }] }),
    ).rejects.toMatchObject({ code: 'HEAD_OUTSIDE' });
  });
});

describe('the test of layers', () => {
  it('is Friedman’s over the columns that every layer has, with its comparisons', async () => {
    const id = await sweep({ grids: [HEADS] });
    const layers = await core.client.readings.layers({ id, ...HEADS, metric: 'logit_diff' });
    expect(layers.refusal).toBeNull();
    expect(layers.columns).toEqual(['0', '1', '2', '3']);
    const stored = study().blocks.read(id, 0, 0);
    const blocks = stored.map(({ raw, corrupted }) =>
      [0, 1, 2].map(
        (layer) => [0, 1, 2, 3].reduce((sum, h) => sum + (raw[layer * 4 + h] ?? NaN), 0) / 4 - corrupted,
      ),
    );
    const wanted = friedman(blocks, { seed: 42 });
    expect(layers.test).toMatchObject({
      statistic: wanted?.statistic,
      w: wanted?.w,
      p: wanted?.p,
      clusters: 4,
      method: 'permutation',
    });
    expect(layers.layers.map(({ effect }) => effect)).toEqual([
      expect.closeTo(blocks.reduce((s, b) => s + (b[0] ?? NaN), 0) / 4, 9),
      expect.closeTo(blocks.reduce((s, b) => s + (b[1] ?? NaN), 0) / 4, 9),
      expect.closeTo(blocks.reduce((s, b) => s + (b[2] ?? NaN), 0) / 4, 9),
    ]);
    expect(layers.pairs).toHaveLength(3);
    const site = await core.client.sweeps.site({ id, ...HEADS, metric: 'logit_diff', layer: 1, column: 2 });
    expect(site.caveat).toMatch(/4 clusters cannot go below .* Effect size d = /);
    expect(layers.caveats.join(' ')).toContain('sign-flip test over 4 clusters');
  });

  it('leaves out what is fixed by construction, and takes one column where it is asked to', async () => {
    const id = await sweep({ grids: [MLP] });
    const whole = await core.client.readings.layers({ id, ...MLP, metric: 'logit_diff' });
    const grid = await core.client.sweeps.grid({ id, ...MLP, metric: 'logit_diff' });
    expect(grid.state.slice(0, 5).every((state) => state === 'zero')).toBe(true);
    // Behind the first difference every position is measured in every layer; before it none is.
    expect(whole.columns).toHaveLength(grid.columns - 5);
    const one = await core.client.readings.layers({ id, ...MLP, metric: 'logit_diff', column: 7 });
    expect(one.columns).toHaveLength(1);
    const fixed = await core.client.readings.layers({ id, ...MLP, metric: 'logit_diff', column: 2 });
    expect(fixed.test).toBeNull();
    expect(fixed.refusal).toContain('No site is measured');
  });

  it('is refused over too few pairs, with the number that would do', async () => {
    const raw = [[1, 2, 3, 4, 5, 6]];
    const id = storeSweep(
      study(),
      {},
      [3, 2],
      [
        { id: 'a', clean: [9], corrupted: [0], raw },
        { id: 'b', clean: [9], corrupted: [0], raw },
      ],
    );
    const layers = await core.client.readings.layers({ id, ...HEADS, metric: 'logit_diff' });
    expect(layers.test).toBeNull();
    expect(layers.refusal).toContain('2 of them cannot show agreement. At least 3 are needed');
    expect(layers.caveats.join(' ')).toContain('2 independent pairs give no interval');
  });
});

describe('ratios of positions', () => {
  it('are of sums over layers, for every corruption and metric of the study', async () => {
    const id = await sweep({ grids: [MLP] });
    const noisy = await sweep({ grids: [MLP], corruption: 'gn', noise: { draws: 2, scale: 3 } });
    const ratios = await core.client.readings.ratios({ id, ...MLP });
    expect(ratios).toMatchObject({ spans: ['subject'], span: 'subject', leftOut: 0, refusal: null });
    const rows = ratios.rows.filter((row) => [id, noisy].includes(row.sweepId));
    expect(rows.map(({ sweepId, metric }) => [sweepId, metric])).toEqual([
      [id, 'logit_diff'],
      [id, 'prob'],
      [noisy, 'logit_diff'],
      [noisy, 'prob'],
    ]);
    const stored = study().blocks.read(id, 0, 0);
    const total = (tokens: readonly number[]): number =>
      stored.reduce(
        (sum, { raw, corrupted }) =>
          sum +
          [0, 1, 2].reduce(
            (inner, layer) =>
              inner + tokens.reduce((s, t) => s + ((raw[layer * 12 + t] ?? NaN) - corrupted), 0),
            0,
          ),
        0,
      );
    const [middle, , end] = rows[0]?.ratios ?? [];
    expect(middle?.numerator).toBeCloseTo(total([7]) / 4, 9);
    expect(middle?.denominator).toBeCloseTo(total([5, 6]) / 4, 9);
    expect(end?.denominator).toBeCloseTo(total([11]) / 4, 9);
    for (const { ratios: own } of rows) {
      for (const ratio of own) {
        if (ratio.value === null) expect(ratio.reason).toMatch(/under 1 % of the gap|not told from zero/);
        else expect(ratio.value).toBeCloseTo((ratio.numerator ?? NaN) / (ratio.denominator ?? NaN), 9);
      }
    }
    expect(rows.flatMap((row) => row.ratios).some(({ value }) => value !== null)).toBe(true);
  });

  it('are refused without positions or a span of several tokens', async () => {
    const heads = await sweep({ grids: [HEADS] });
    expect((await core.client.readings.ratios({ id: heads, ...HEADS })).refusal).toContain(
      'layer × position',
    );
    const id = storeSweep(
      study(),
      { grids: [{ ...MLP }] },
      [3, 2],
      [{ id: 'a', clean: [9], corrupted: [0], raw: [[1, 2, 3, 4, 5, 6]] }],
    );
    expect((await core.client.readings.ratios({ id, ...MLP })).refusal).toContain('draw the subject');
  });
});
