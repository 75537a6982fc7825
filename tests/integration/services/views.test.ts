import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'csv-parse/sync';
import type { ResultViewRequest, SweepId } from '../../../src/shared/domain/index.ts';
import { SweepSpec, sweepRef } from '../../../src/shared/domain/index.ts';
import { spearman } from '../../../src/main/engine/stats/index.ts';
import { CLAP_TABLES } from '../../../src/shared/published/index.ts';
import { storeSweep, studyWithModel, type StoredPair } from '../../support/stored-sweep.ts';

const HEADS = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' } as const;
const MLP = { hook: 'blocks.{layer}.mlp.hook_pre', axes: 'layer' } as const;
const metric = 'logit_diff' as const;

/** Eight independent pairs of two types; the second metric moves with the first, with noise of its own. */
const pairs: StoredPair[] = Array.from({ length: 8 }, (_, p) => {
  const effects = Array.from({ length: 12 }, (_site, i) => Math.sin(i * 1.7 + (p % 3) / 10) / 3);
  return {
    id: `p${p}`,
    type: p % 2 === 0 ? 'definitional' : 'associative',
    clean: [3, 0.9],
    corrupted: [1, 0.1],
    raw: [
      effects.map((effect) => 1 + 2 * effect),
      effects.map((effect, i) => 0.1 + 0.8 * (effect + Math.sin(i * p) / 20)),
    ],
  };
});

let opened: Awaited<ReturnType<typeof studyWithModel>>;
let sweeps: SweepId[];
beforeAll(async () => {
  opened = await studyWithModel();
  sweeps = [0, 1, 2].map((shift) =>
    storeSweep(
      opened.study,
      { metrics: ['logit_diff', 'prob'] },
      [3, 4],
      pairs.map((pair) => ({ ...pair, raw: pair.raw.map((values) => values.map((v) => v + shift / 20)) })),
    ),
  );
}, 60_000);
afterAll(() => opened.close());

/** The CSV of a view, table by table: rows as objects. */
async function csvOf(view: ResultViewRequest): Promise<Map<string, Record<string, string>[]>> {
  const { url, name } = await opened.core.client.report.viewTable({ view });
  expect(name).toMatch(/\.csv$/);
  const offer = opened.core.files.offered(url.split('/').at(-1) ?? '');
  const text =
    offer !== undefined && 'bytes' in offer.content ? new TextDecoder().decode(offer.content.bytes) : '';
  const blocks = text.split('\n\n').filter((block) => block.trim() !== '');
  return new Map(
    blocks.map((block) => {
      const rows: Record<string, string>[] = parse(block, { columns: true, skip_empty_lines: true });
      return [rows[0]?.['part'] ?? '', rows];
    }),
  );
}

/** What the report prints of a section with the view. */
async function sectionOf(view: ResultViewRequest, title: string): Promise<string> {
  const { client } = opened.core;
  const section = { kind: 'view' as const, title, text: '', sweepIds: [], view };
  await client.report.save({ title: 'Report', author: '', sections: [section] });
  const { html } = await client.report.preview({});
  return html.slice(html.indexOf(`<h2>${title}</h2>`));
}

describe('every view has a CSV and a section of the report', () => {
  it('question types: shares with intervals, differences with tests', async () => {
    const view = { kind: 'types' as const, id: sweeps[0]!, ...HEADS, metric };
    const tables = await csvOf(view);
    expect(tables.get('types')?.map((row) => [row['type'], row['independent pairs']])).toEqual([
      ['associative', '4'],
      ['definitional', '4'],
    ]);
    const shown = await opened.core.client.compare.types({ id: sweeps[0]!, ...HEADS, metric });
    expect(Number(tables.get('types')?.[0]?.['share of top 5'])).toBe(shown.types[0]?.topShare);
    expect(tables.get('differences')).toHaveLength(1);
    const section = await sectionOf(view, 'Types');
    expect(section).toContain('Localisation by question type');
    expect(section).toContain('<svg');
  });

  it('two metrics: every site by both, and the rank correlation with its interval', async () => {
    const view = { kind: 'metrics' as const, id: sweeps[0]!, ...HEADS, x: metric, y: 'prob' as const };
    const tables = await csvOf(view);
    const sites = tables.get('sites') ?? [];
    expect(sites).toHaveLength(12);
    const [agreement] = tables.get('agreement') ?? [];
    const rho = spearman(
      sites.map((row) => Number(row['logit difference'])),
      sites.map((row) => Number(row['probability of the answer'])),
    );
    expect(Number(agreement?.['Spearman'])).toBeCloseTo(rho ?? Number.NaN, 12);
    expect(Number(agreement?.['low'])).toBeLessThanOrEqual(rho ?? 0);
    expect(Number(agreement?.['high'])).toBeGreaterThanOrEqual(rho ?? 0);
    expect(await sectionOf(view, 'Two metrics')).toContain('independent pairs, the same draws');
  });

  it('three sweeps: site by site, small multiples on one scale', async () => {
    const refs = sweeps.map(sweepRef);
    const view = { kind: 'several' as const, refs, ...HEADS, metric };
    const tables = await csvOf(view);
    const rows = tables.get('sites') ?? [];
    expect(rows).toHaveLength(12);
    const grid = await opened.core.client.sweeps.grid({ id: sweeps[2]!, ...HEADS, metric });
    expect(rows.map((row) => Number(row['S-03']))).toEqual(grid.recovery);
    expect(tables.get('agreement')?.map((row) => Number(row['S-01']))).toEqual([1, 1, 1]);
    const section = await sectionOf(view, 'Three');
    expect(section).toContain('One colour scale for all');
    expect(section).toContain('<svg');
  });

  it('the matrix of corruptions and metrics, beside published heads', async () => {
    const view = { kind: 'detection' as const, refs: sweeps.map(sweepRef), ...HEADS };
    const tables = await csvOf(view);
    expect(tables.get('detected')?.map((row) => [row['result'], row['metric']])).toHaveLength(6);
    expect(tables.get('published')?.find((row) => row['task'] === 'ioi-s2')).toMatchObject({
      'detected, helps': '5.5 7.9 8.6 8.10 9.9',
      'detected, hurts': '10.7 11.10',
    });
    expect(await sectionOf(view, 'Matrix')).toContain('10.7 11.10');
  });

  it('windows beside the sums of their layers', async () => {
    const window = { ...HEADS, window: 2 };
    const id = storeSweep(
      opened.study,
      { grids: [HEADS, window] },
      [3, 4],
      pairs.map((p) => ({ ...p, clean: [3], corrupted: [1], raw: p.raw.slice(0, 1) })),
    );
    pairs.forEach((pair, k) =>
      opened.study.blocks.store(id, {
        grid: 1,
        pair: k,
        shape: [3, 4],
        raw: [Float64Array.from(pair.raw[0] ?? [], (v) => 1 + (v - 1) * 1.5)],
        clean: [3],
        corrupted: [1],
        zero: new Uint8Array(12),
        trivial: new Uint8Array(12),
      }),
    );
    const view = { kind: 'windows' as const, id, ...window, metric };
    const tables = await csvOf(view);
    const shown = await opened.core.client.sweeps.windows({ id, ...window, metric });
    expect(tables.get('peaks')?.map((row) => Number(row['peak of windows']))).toEqual(
      shown.peaks.map((p) => p.peakWindow),
    );
    expect(tables.get('sums')).toHaveLength(12);
    expect(await sectionOf(view, 'Windows')).toContain('Peak of the windows');
  });

  it('a view of what is gone says so in the report instead of breaking it', async () => {
    const view = { kind: 'types' as const, id: 999 as SweepId, ...HEADS, metric };
    expect(await sectionOf(view, 'Gone')).toContain('no sweep with the number 999');
  });
});

describe('the CLAP replication', () => {
  it('draws the three questions, runs, and lands beside the published numbers', async () => {
    const { client } = opened.core;
    const model = await client.models.create({
      name: 'small',
      nLayer: 2,
      nHead: 2,
      dModel: 32,
      nCtx: 64,
      tokenizer: 'gpt2',
      seed: 5,
    });
    const drawn = await client.pairs.generate({
      modelId: model.id,
      spec: { task: 'clap', targets: 'published', count: 3 },
      name: 'CLAP questions',
    });
    expect(drawn.drawn).toBe(3);
    const spec = SweepSpec.parse({
      modelId: model.id,
      pairSetId: drawn.set?.id,
      grids: [MLP],
      direction: 'denoising',
      method: 'exact',
      corruption: 'str',
      metrics: [metric],
    });
    const { sweepId, jobId } = await client.sweeps.start({ spec, name: 'CLAP replication' });
    await opened.core.context.session.require().queue.wait(jobId);
    // The definition's answers differ in length: it cannot be patched inside.
    expect(opened.study.sweeps.get(sweepId).plan?.skipped.map(({ id }) => id)).toEqual(['clap-2']);
    const view = { kind: 'clap' as const, id: sweepId };
    const tables = await csvOf(view);
    const rows = tables.get('clap') ?? [];
    expect(rows.map((row) => [row['table'], Number(row['printed'])])).toEqual(
      CLAP_TABLES.map(({ table, printed }) => [String(table), printed]),
    );
    expect(rows.map((row) => Number(row['recomputed']).toFixed(3))).toEqual(['0.700', '1.000', '0.864']);
    expect(rows[0]?.['arithmetic']).toBe('(0.43 − (−0.34)) / (0.76 − (−0.34))');
    const check = (await client.pairs.checkSet({ setId: drawn.set!.id, modelId: model.id })).map(
      (c) => c.gap,
    );
    for (const [i, row] of rows.entries()) {
      const [clean, corrupted, patched] = ['own clean', 'own corrupted', 'own patched'].map((c) =>
        Number(row[c]),
      );
      // The set's check leaves out a pair of unequal length, whose baselines are read all the same.
      const known = check[i] ?? null;
      if (known !== null) expect(clean! - corrupted!).toBeCloseTo(known, 4);
      expect(known === null).toBe(row['own site'] === 'logits, trivial');
      expect(Number.isFinite(patched)).toBe(true);
      const gap = Math.abs(clean! - corrupted!);
      // One rule for ratios: a model that knows nothing has none, and says why.
      if (gap < 0.1)
        expect([row['own recovery'], row['why']]).toEqual(['', expect.stringContaining('below 0.1')]);
      else
        expect(Number(row['own recovery'])).toBeCloseTo((patched! - corrupted!) / (clean! - corrupted!), 10);
    }
    expect(rows[1]).toMatchObject({ 'own site': 'logits, trivial' });
    expect(rows[1]?.['own patched']).toBe(rows[1]?.['own clean']);
    expect(rows[0]?.['own site']).toBe('mlp.c_fc, layer 0');
    expect(tables.get('layers')).toHaveLength(4);
    const section = await sectionOf(view, 'Beside CLAP');
    expect(section).toContain('Own numbers layer by layer');
    expect((await csvOf({ kind: 'clap', id: null })).get('clap')).toHaveLength(3);
  }, 120_000);
});
