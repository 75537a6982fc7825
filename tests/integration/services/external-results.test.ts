import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportTable } from '../../../src/main/services/export.ts';
import { storedResult } from '../../../src/main/services/sweeps/table.ts';
import {
  externalRef,
  sweepRef,
  type ExternalSummary,
  type SweepId,
} from '../../../src/shared/domain/index.ts';
import { tempFolder } from '../../support/store.ts';
import { storeSweep, studyWithModel, type StoredPair } from '../../support/stored-sweep.ts';

const HEADS = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' } as const;
const key = { ...HEADS, metric: 'logit_diff' } as const;

/** 4 × 4 heads, of which one restores half of the gap of 2. */
const effects = Array.from({ length: 16 }, (_, i) => (i === 5 ? 0.5 : Math.sin(i * 2.3) / 40));
const pairs: StoredPair[] = Array.from({ length: 6 }, (_, i) => ({
  id: `p${i}`,
  clean: [3 + i],
  corrupted: [1 + i],
  raw: [effects.map((effect) => 1 + i + 2 * effect + (i % 2) / 1000)],
}));

let opened: Awaited<ReturnType<typeof studyWithModel>>;
let own: SweepId;
let external: ExternalSummary;

function file(name: string, text: string): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, text);
  return opened.core.files.register(path).handle;
}
const rows = (shift = 0): number[][] =>
  [0, 1, 2, 3].map((layer) => effects.slice(4 * layer, 4 * layer + 4).map((value) => value + shift));
const tables = (values: number[][]): string =>
  JSON.stringify({
    source: 'another lab',
    metric: 'logit_diff',
    direction: 'denoising',
    tables: { z: { axes: ['Layer', 'Head'], values } },
  });

beforeAll(async () => {
  opened = await studyWithModel();
  own = storeSweep(opened.study, {}, [4, 4], pairs);
}, 60_000);
afterAll(() => opened.close());

describe('external results in a study', () => {
  it('are imported with their source and checksum, once', async () => {
    const { client } = opened.core;
    external = await client.results.import({ file: file('other.json', tables(rows(0.01))) });
    expect(external).toMatchObject({
      label: 'X-01',
      name: 'other',
      file: 'other.json',
      source: 'another lab',
    });
    expect(external.sha256).toMatch(/^[0-9a-f]{64}$/);
    await expect(
      client.results.import({ file: file('again.json', tables(rows(0.01))) }),
    ).rejects.toMatchObject({ code: 'RESULTS_THERE', message: expect.stringContaining('X-01') as string });
    expect((await client.results.list({})).map(({ label }) => label)).toEqual(['X-01']);
  });

  it('stand beside a sweep: difference, scatter, rank correlation, overlap, settings that differ', async () => {
    const { client } = opened.core;
    const view = await client.compare.view({ a: own, b: externalRef(external.id), ...key });
    expect(view.sides).toMatchObject([
      { label: 'S-01', external: null },
      { label: 'X-01', external: 'another lab' },
    ]);
    expect(view.difference.every((d) => Math.abs((d ?? 1) - 0.01) < 0.001)).toBe(true);
    expect(view.spearman).toBeGreaterThan(0.98);
    expect(view.n).toBe(16);
    expect(view.overlap).toMatchObject({ k: 8 });
    const strongest = (values: readonly (number | null)[]): number[] =>
      values
        .map((_, i) => i)
        .toSorted((i, j) => Math.abs(values[j] ?? 0) - Math.abs(values[i] ?? 0))
        .slice(0, 8);
    const [mine, theirs] = [strongest(view.a.recovery), strongest(view.b.recovery)];
    expect(view.overlap?.shared).toBe(mine.filter((site) => theirs.includes(site)).length);
    expect(view.detected).toMatchObject([{ site: '1.1', where: 'both' }]);
    expect(view.localisationDifference).toBeNull();
    expect(view.localisation[1]?.topShare).toMatchObject({ low: null, high: null });
    expect(view.notes.join(' ')).toContain('X-01 is external (another lab)');
    expect(view.settings.map(({ name }) => name)).toContain('Numbers from');
    await expect(
      client.compare.view({ a: own, b: externalRef(external.id), ...key, metric: 'prob' }),
    ).rejects.toMatchObject({ code: 'GRID_NOT_IN_SWEEP' });
    await expect(client.results.grid({ id: external.id, ...key, metric: 'prob' })).rejects.toMatchObject({
      code: 'GRID_NOT_IN_RESULT',
    });
  });

  it('stand among several, in detection tables, and as an overlay by layer', async () => {
    const { client } = opened.core;
    const refs = [sweepRef(own), externalRef(external.id)];
    const several = await client.compare.grids({ refs, ...key });
    expect(several.columns.map(({ label }) => label)).toEqual(['S-01', 'X-01']);
    expect(several.spearman[0]?.[1]).toBeCloseTo(several.spearman[1]?.[0] ?? 0, 12);
    const { rows: found } = await client.compare.several({ ids: refs, ...HEADS });
    expect(found.map(({ label, pairs: n, positive }) => [label, n, positive])).toEqual([
      ['S-01', 6, ['1.1']],
      ['X-01', null, ['1.1']],
    ]);
    const options = { widthMm: 174, theme: 'light', format: 'csv', dpi: 300 } as const;
    const figure = { kind: 'layers' as const, ids: refs, ...key };
    const { url } = await client.report.figure({ figure, options });
    const offer = opened.core.files.offered(url.split('/').at(-1) ?? '');
    const text =
      offer !== undefined && 'bytes' in offer.content ? new TextDecoder().decode(offer.content.bytes) : '';
    expect(text).toContain('X-01,3,');
  });

  it('are saved as a comparison and marked as external in the report, with their origin', async () => {
    const { client } = opened.core;
    await client.compare.save({ a: own, b: externalRef(external.id), name: 'Beside the other lab' });
    expect((await client.compare.list({})).map(({ a, b }) => [a, b])).toEqual([
      [sweepRef(own), externalRef(external.id)],
    ]);
    const report = await client.report.get({});
    const view = { kind: 'external' as const, id: external.id };
    const section = { kind: 'view' as const, title: 'Theirs', text: '', sweepIds: [], view };
    await client.report.save({ ...report, sections: [...report.sections, section] });
    const { html, warnings } = await client.report.preview({});
    expect(warnings.join(' ')).toContain('X-01 is external');
    const at = html.indexOf('Beside the other lab');
    const compared = html.slice(at, html.indexOf('</section>', at));
    expect(compared).toContain('X-01 (other) is external: another lab.');
    expect(compared).toContain('<svg');
    const theirs = html.slice(html.indexOf('<h2>Theirs'));
    expect(theirs).toContain(external.sha256);
    expect(theirs).toContain('not computed in this study');
  });

  it('go and come back by undo', async () => {
    const { client } = opened.core;
    await client.results.remove({ id: external.id });
    expect(await client.results.list({})).toEqual([]);
    expect((await client.studies.undo({})).undone).toBe('Remove X-01');
    expect((await client.results.list({})).map(({ name }) => name)).toEqual(['other']);
    await client.results.rename({ id: external.id, name: 'Lab B' });
    expect((await client.results.list({}))[0]?.name).toBe('Lab B');
    expect((await client.studies.undo({})).undone).toBe('Rename X-01');
  });
});

describe('what this program writes', () => {
  it('comes back as external results with the same numbers, as JSON, CSV and JSON lines', async () => {
    const { client } = opened.core;
    const grid = await client.sweeps.grid({ id: own, ...key });
    const files = {
      'sweep.json': JSON.stringify(storedResult(opened.study, own)),
      'effects.csv': exportTable(opened.study, 'effects', 'csv', own).text,
      'effects.jsonl': exportTable(opened.study, 'effects', 'jsonl', own).text,
    };
    for (const [name, text] of Object.entries(files)) {
      const { id, direction, tables: found } = await client.results.import({ file: file(name, text) });
      expect(direction).toBe('denoising');
      expect(found).toMatchObject([{ ...HEADS, layers: 4, columns: 4, pairs: 6 }]);
      const back = await client.results.grid({ id, ...key });
      back.recovery.forEach((value, i) => expect(value).toBeCloseTo(grid.recovery[i] ?? Number.NaN, 12));
      back.effect?.forEach((value, i) => expect(value).toBeCloseTo(grid.effect?.[i] ?? Number.NaN, 12));
      expect(back.detected).toEqual(grid.detected);
      expect([back.meanClean, back.meanCorrupted]).toEqual([grid.meanClean, grid.meanCorrupted]);
    }
  });

  it('is refused with its line where a table of effects is damaged', async () => {
    const { text } = exportTable(opened.study, 'effects', 'csv', own);
    const lines = text.split('\n');
    const broken = (at: number, change: (line: string) => string) =>
      file('broken.csv', lines.map((line, i) => (i === at ? change(line) : line)).join('\n'));
    const importing = (handle: string) => opened.core.client.results.import({ file: handle });
    await expect(importing(broken(3, (line) => line.replace(/,p0,/, ',p0,x')))).rejects.toMatchObject({
      code: 'RESULTS_ROW_MALFORMED',
      message: expect.stringContaining('line 4, layer') as string,
    });
    await expect(importing(broken(3, () => lines[2] ?? ''))).rejects.toMatchObject({
      code: 'RESULTS_ROW_TWICE',
      message: expect.stringContaining('line 4') as string,
    });
  });
});
