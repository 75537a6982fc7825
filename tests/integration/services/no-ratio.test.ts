import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportTable } from '../../../src/main/services/export.ts';
import { storedResult } from '../../../src/main/services/sweeps/table.ts';
import type { SweepId } from '../../../src/shared/domain/index.ts';
import { toTable } from '../../../src/shared/figures/index.ts';
import { storeSweep, studyWithModel, type StoredPair } from '../../support/stored-sweep.ts';

const HEADS = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' } as const;
const key = { ...HEADS, metric: 'logit_diff' } as const;
const OTHER = { ...HEADS, metric: 'prob' } as const;

/** Five pairs whose logit differences hardly differ (0.04) while their probabilities do (0.4). */
const pairs: StoredPair[] = Array.from({ length: 5 }, (_, i) => ({
  id: `p${i}`,
  clean: [1.04 + i, 0.6],
  corrupted: [1 + i, 0.2],
  raw: [
    [1.02 + i, 1 + i, 1.01 + i, 0.99 + i],
    [0.3, 0.2, 0.5, 0.2],
  ],
}));

let opened: Awaited<ReturnType<typeof studyWithModel>>;
let id: SweepId;
let sound: SweepId;

beforeAll(async () => {
  opened = await studyWithModel();
  id = storeSweep(opened.study, { metrics: ['logit_diff', 'prob'] }, [2, 2], pairs);
  const clear = pairs.map((pair) => ({ ...pair, corrupted: [(pair.clean[0] ?? 0) - 2, 0.2] }));
  sound = storeSweep(opened.study, { metrics: ['logit_diff', 'prob'] }, [2, 2], clear);
}, 60_000);
afterAll(() => opened.close());

/** One rule (shared/domain/ratio.ts) for whatever shows a sweep: no ratio, its reason, the changes as measured. */
describe('over a gap near zero', () => {
  it('the heatmap has no recovery, says why, and keeps patched metrics and their changes', async () => {
    const grid = await opened.core.client.sweeps.grid({ id, ...key });
    expect(grid.recovery).toEqual([null, null, null, null]);
    expect([...grid.low, ...grid.high].every((v) => v === null)).toBe(true);
    expect(grid.noRatio).toContain('0.04, below 0.1');
    expect(grid.effect?.[0]).toBeCloseTo(0.02, 10);
    expect(grid.raw[0]).toBeCloseTo(3.02, 10);
    expect(grid.detected).not.toContain(true);
    const fine = await opened.core.client.sweeps.grid({ id, ...OTHER });
    expect(fine.noRatio).toBeUndefined();
    expect(fine.recovery[2]).toBeCloseTo(0.75, 10);
  });

  it('the drill-down has neither ratios nor dots of them, but the change of every pair', async () => {
    const site = await opened.core.client.sweeps.site({ id, ...key, layer: 0, column: 0 });
    expect(site.recovery).toBeNull();
    expect(site.low).toBeNull();
    expect(site.noRatio).toContain('below 0.1');
    expect(site.pairs.map(({ recovery }) => recovery)).toEqual([null, null, null, null, null]);
    expect(site.pairs[3]?.effect).toBeCloseTo(0.02, 10);
    const { columns, rows } = toTable({ kind: 'pairs', detail: site });
    expect(columns).toContain('no_ratio');
    expect(rows[0]?.at(-1)).toContain('below 0.1');
  });

  it('the JSON export records the smallest gap and flags each pair below it', () => {
    const { effects, summary, baselines } = storedResult(opened.study, id);
    expect(effects.map(({ metric, epsilon }) => [metric, epsilon])).toEqual([
      ['logit_diff', 0.1],
      ['prob', 1e-6],
    ]);
    expect(effects[0]?.normalized.every((v) => v === null)).toBe(true);
    expect(effects[0]?.raw.every((v) => v !== null)).toBe(true);
    expect(effects[1]?.normalized.every((v) => v !== null)).toBe(true);
    expect(summary[0]?.recovery.every((v) => v === null)).toBe(true);
    expect(baselines.filter((b) => b.small_gap === true).map((b) => b.metric)).toEqual(
      pairs.map(() => 'logit_diff'),
    );
  });

  it('the CSV export leaves the ratio empty and says why beside it', () => {
    const lines = exportTable(opened.study, 'effects', 'csv', id).text.trim().split(/\r?\n/);
    const [head = '', ...rows] = lines.map((line) => line);
    const columns = head.split(',');
    const cell = (row: string, name: string): string => row.split(',')[columns.indexOf(name)] ?? '';
    const logits = rows.filter((row) => cell(row, 'metric') === 'logit_diff');
    expect(logits).toHaveLength(20);
    for (const row of logits) {
      expect(cell(row, 'normalized')).toBe('');
      expect(cell(row, 'no_ratio')).toBe('gap below 0.1');
      expect(Number(cell(row, 'raw'))).toBeGreaterThan(0);
    }
    for (const row of rows.filter((r) => cell(r, 'metric') === 'prob')) {
      expect(cell(row, 'normalized')).not.toBe('');
      expect(cell(row, 'no_ratio')).toBe('');
    }
  });

  it('the figure’s own CSV gives changes and reason instead of ratios', async () => {
    const options = { widthMm: 174, theme: 'light', format: 'csv', dpi: 300 } as const;
    const figure = { kind: 'sweep' as const, id, ...key };
    const { url } = await opened.core.client.report.figure({ figure, options });
    const offer = opened.core.files.offered(url.split('/').at(-1) ?? '');
    const text =
      offer !== undefined && 'bytes' in offer.content ? new TextDecoder().decode(offer.content.bytes) : '';
    expect(text.split('\n')[0]).toContain('effect,no_ratio');
    expect(text.split('\n')[1]).toMatch(/0\.0\d+.*below 0\.1/);
  });

  it('the report says why, draws the changes, and prints no ratio of that sweep', async () => {
    const { html } = await opened.core.client.report.preview({});
    const start = html.indexOf('S-01 · stored');
    const section = html.slice(start, html.indexOf('</section>', start));
    expect(section).toContain('no recovery is given');
    expect(section).toContain('below 0.1');
    expect(section).toContain('Change of the metric');
    expect(section).not.toContain('Recovery of the logit difference');
    expect(section).toContain('<svg');
    const { text } = await opened.core.client.report.methods({ id });
    expect(text).toContain('at least 0.1 (logit difference); 0.000001 (probability of the answer)');
  });

  it('Compare has no difference, no index and no detected site of it', async () => {
    const view = await opened.core.client.compare.view({ a: id, b: sound, ...key });
    expect(view.difference.every((v) => v === null)).toBe(true);
    expect(view.localisation[0]?.topShare.value).toBeNull();
    expect(view.localisation[1]?.topShare.value).not.toBeNull();
    expect(view.localisationDifference).toBeNull();
    expect(view.n).toBe(0);
    const types = await opened.core.client.compare.types({ id, ...key });
    expect(types.refusal).toContain('below 0.1');
    expect(types.types).toEqual([]);
  });
});
