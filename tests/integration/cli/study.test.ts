import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMATS } from '../../../src/main/hosts/cli/formats.ts';
import { engram, errorLines, ROOT, TINY } from './process.ts';

const SAMPLE = join(ROOT, 'resources/sample');

let folder: string;
let study: string;
const run = (...args: string[]) => engram('--data', join(folder, 'data'), ...args);
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'engram-study-'));
  study = join(folder, 'study');
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a study on the command line', () => {
  it('is made by the first import', async () => {
    const ran = await run('import', study, join(SAMPLE, 'synthetic-abstracts.csv'), '--json');
    expect(ran.code).toBe(0);
    const output = FORMATS['import-result'].schema.parse(JSON.parse(ran.out));
    expect(output).toMatchObject({ complete: true, sources: [{ kind: 'csv', status: 'complete' }] });
    expect(output.sources[0]?.added).toBeGreaterThan(30);
  });

  it('keeps what was read before a fault, marks the import and exits 2', async () => {
    const whole = gunzipSync(readFileSync(join(SAMPLE, 'synthetic-abstracts.xml.gz')));
    const cut = file('cut.xml', whole.subarray(0, Math.floor(whole.length * 0.8)));
    const ran = await run('import', study, cut, '--json');
    expect(ran.code).toBe(2);
    expect(errorLines(ran)).toHaveLength(1);
    expect(ran.err).toMatch(/cut\.xml/);
    const output = FORMATS['import-result'].schema.parse(JSON.parse(ran.out));
    expect(output).toMatchObject({ complete: false, sources: [{ status: 'incomplete' }] });
    expect(output.sources[0]?.added).toBeGreaterThan(100);
    expect((await run('verify', study)).code).toBe(0);
  });

  it('refuses a table without abstracts, and leaves the study as it was', async () => {
    const before = await run('export', study, '--what', 'records', '--format', 'csv');
    const ran = await run('import', study, file('none.csv', 'PMID,Title\n1,One\n'));
    expect(ran.code).toBe(2);
    expect(errorLines(ran)).toHaveLength(1);
    expect(ran.err).toMatch(/none\.csv.*Abstract/);
    const after = await run('export', study, '--what', 'records', '--format', 'csv');
    expect(after.out).toBe(before.out);
    expect(before.out.split('\n')[0]).toContain('pmid,doi,title,abstract');
  });

  it('takes models: a folder, or one with fresh weights', async () => {
    const imported = await run('model', 'import', study, TINY, '--name', 'tiny', '--json');
    expect(FORMATS['model-result'].schema.parse(JSON.parse(imported.out))).toMatchObject({
      name: 'tiny',
      origin: 'imported',
      parameters: 46_976,
      tokenizer: 'none',
    });
    const created = await run(
      'model',
      'create',
      study,
      '--name',
      'fresh',
      '--width',
      '16',
      '--layers',
      '1',
      '--tokenizer',
      'sample',
      '--json',
    );
    expect(FORMATS['model-result'].schema.parse(JSON.parse(created.out))).toMatchObject({
      origin: 'created',
    });
    const missing = await run('model', 'import', study, join(folder, 'nowhere'));
    expect(missing.code).toBe(2);
    expect(errorLines(missing)).toHaveLength(1);
  });

  it.each([
    ['train', ['--model', 'none', '--dataset', 'x', '--config', 'quick'], /^MODEL_UNKNOWN: .*“none”.*tiny/],
    ['train', ['--model', 'fresh', '--dataset', 'x', '--config', 'quick'], /^DATASET_UNKNOWN: .*“x”/],
    ['train', ['--model', 'fresh', '--dataset', 'x', '--config', 'III'], /^FILE_UNREADABLE: .*III/],
    ['export', ['--what', 'everything'], /^OPTION_INVALID: .*everything/],
    ['export', ['--what', 'effects'], /^NO_SWEEP: /],
    ['report', ['--format', 'odt'], /^OPTION_INVALID: .*odt/],
  ])('%s %j is refused with one line and exit 2', async (command, args, message) => {
    const ran = await run(command, study, ...args);
    expect(ran.code).toBe(2);
    expect(errorLines(ran)).toHaveLength(1);
    expect(ran.err).toMatch(message);
  });

  it('is refused where there is none', async () => {
    const ran = await run('report', join(folder, 'nothing'));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/^STUDY_NOT_FOUND: /);
  });

  it('reports what it holds', async () => {
    const ran = await run('report', study, '--out', join(folder, 'out'), '--json');
    const { report, warnings } = FORMATS['report-result'].schema.parse(JSON.parse(ran.out));
    expect(readFileSync(report, 'utf8')).toContain('<!doctype html>');
    expect(warnings.join()).toContain('cut.xml');
  });
});

describe('engram run', () => {
  it.each([
    ['{', /^JSON_INVALID: .*spec\.json/],
    ['{"import": []}', /^FILE_INVALID: .*spec\.json: import/],
    ['{"import": ["a.csv"], "model": {"folder": "x"}, "colour": 1}', /^FILE_INVALID: .*colour/],
    ['{"import": ["missing.csv"], "model": {"folder": "x"}}', /missing\.csv/],
  ])('refuses %s with one line and exit 2', async (text, message) => {
    const ran = await run('run', file('spec.json', text), '--study', join(folder, `run-${text.length}`));
    expect(ran.code).toBe(2);
    expect(errorLines(ran).filter((line) => !line.startsWith('['))).toHaveLength(1);
    expect(ran.err).toMatch(message);
  });

  it('refuses an empty dataset', async () => {
    const csv = file('empty.csv', 'PMID,Title,Abstract\n');
    const spec = {
      import: [csv],
      model: { create: { nLayer: 1, nHead: 1, dModel: 8, nCtx: 16, tokenizer: 'sample' } },
    };
    const ran = await run('run', file('empty.json', JSON.stringify(spec)), '--study', join(folder, 'empty'));
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(/EMPTY/);
  });
});
