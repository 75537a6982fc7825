import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { IMPORT_FORMATS, openImport } from '../../../src/main/importers/index.ts';
import { EngramError } from '../../../src/shared/errors/index.ts';
import { article, articleSet, collect, collectItems, errorOf, workbook } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'engram-open-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One file of every format with two records: a new format needs its own here. */
const SAMPLES: Readonly<Record<string, string | Uint8Array>> = {
  xlsx: workbook([
    ['PMID', 'Title', 'Abstract'],
    ['1', 'T', 'A'],
    ['2', 'T', 'A'],
  ]),
  nbib: 'PMID- 1\nTI  - T\nAB  - A\n\nPMID- 2\nTI  - T\nAB  - A\n',
  ris: 'TY  - JOUR\nAN  - PMID: 1\nTI  - T\nAB  - A\nER  - \n\nTY  - JOUR\nAN  - PMID: 2\nTI  - T\nAB  - A\nER  - \n',
  'pubmed-xml': articleSet(article({ pmid: '1' }), article({ pmid: '2' })),
  csv: 'PMID,Title,Abstract\n1,T,A\n2,T,A\n',
  jsonl: '{"pmid":"1","title":"T","abstract":"A"}\n{"pmid":"2","title":"T","abstract":"A"}\n',
};

describe.each(IMPORT_FORMATS.map((format) => format.kind))('%s', (kind) => {
  const sample = SAMPLES[kind] ?? '';

  it('is known by its content, whatever the file is called', async () => {
    for (const name of ['data', 'data.csv', 'data.xml', 'data.jsonl', 'data.gz']) {
      const found = await collect(sample, name);
      expect([found.kind, found.records.map((r) => r.pmid), found.error]).toEqual([kind, ['1', '2'], null]);
    }
  });

  it.skipIf(kind === 'xlsx')('is read the same when compressed, in one member or several', async () => {
    const half = Math.floor(sample.length / 2);
    const members = Buffer.concat([gzipSync(sample.slice(0, half)), gzipSync(sample.slice(half))]);
    for (const bytes of [gzipSync(sample), members]) {
      const found = await collect(bytes, 'data.csv');
      expect([found.kind, found.records.map((r) => r.pmid), found.error]).toEqual([kind, ['1', '2'], null]);
    }
  });

  it('counts the bytes it takes', async () => {
    const path = join(folder, `${kind}.gz`);
    // A workbook is compressed already.
    const bytes = kind === 'xlsx' ? Buffer.from(sample) : gzipSync(sample);
    writeFileSync(path, bytes);
    const opened = await openImport(path);
    expect([opened.bytesRead(), opened.bytesTotal, opened.name]).toEqual([0, bytes.length, `${kind}.gz`]);
    await collectItems(opened.items);
    expect(opened.bytesRead()).toBe(bytes.length);
  });

  it('stops when told to', async () => {
    const path = join(folder, `${kind}.txt`);
    writeFileSync(path, sample);
    const stop = new AbortController();
    const { items } = await openImport(path, { signal: stop.signal });
    const iterator = items[Symbol.asyncIterator]();
    expect((await iterator.next()).done).toBe(false);
    stop.abort();
    expect(await errorOf(iterator.next())).toMatchObject({ kind: 'cancelled', code: 'CANCELLED' });
  });
});

describe('a damaged gzip file', () => {
  // Incompressible titles make the archive several read chunks long.
  let seed = 1;
  const noise = (): string => {
    let text = '';
    for (let i = 0; i < 3000; i += 1) {
      seed = (seed * 48271) % 2147483647;
      text += (seed % 36).toString(36);
    }
    return text;
  };
  const set = articleSet(
    ...Array.from({ length: 400 }, (_, i) => article({ pmid: String(i + 1), title: noise() })),
  );
  const packed = gzipSync(set);

  it('gives what comes before the cut, then says where it ends', async () => {
    const { records, error } = await collect(
      packed.subarray(0, Math.floor(packed.length * 0.6)),
      'cut.xml.gz',
    );
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_GZIP_TRUNCATED' });
    expect(error?.message).toContain('cut.xml.gz');
    // Deflate blocks are small: all but the last few articles of the first 60 % are whole.
    expect(records.length).toBeGreaterThan(400 * 0.6 - 25);
    expect(records.length).toBeLessThan(400 * 0.6 + 5);
    expect(records.every((r) => r.title.length === 3000)).toBe(true);
  });

  it('gives what comes before the damage', async () => {
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, Math.floor(packed.length * 0.7), Math.floor(packed.length * 0.7) + 64);
    const { records, error } = await collect(damaged, 'bad.xml.gz');
    expect(['IMPORT_GZIP_DAMAGED', 'IMPORT_ENCODING', 'IMPORT_XML_MALFORMED']).toContain(error?.code);
    expect(error?.message).toContain('bad.xml.gz');
    expect(records.length).toBeGreaterThan(200);
  });

  it('is refused at once when its start is damaged', async () => {
    const error = await errorOf(collect(Buffer.from([0x1f, 0x8b, 0x00, 0x01, 0x02, 0x03]), 'bad.gz'));
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_GZIP_DAMAGED' });
  });
});

describe('what is no import', () => {
  it.each([
    ['an empty file', '', 'IMPORT_FORMAT', 'empty'],
    ['an empty gzip file', gzipSync(''), 'IMPORT_FORMAT', 'empty'],
    ['a ZIP archive', Buffer.from('PK\u0003\u0004 and so on'), 'IMPORT_FORMAT', 'Excel workbook'],
    ['a PDF', '%PDF-1.7 abstract, title', 'IMPORT_FORMAT', 'PDF'],
    [
      'a web page',
      '<!DOCTYPE html>\n<html><body>429 Too Many Requests</body></html>',
      'IMPORT_FORMAT',
      'web page',
    ],
    [
      'a compressed workbook',
      gzipSync(workbook([['Title', 'Abstract']])),
      'IMPORT_FORMAT',
      'compressed Excel workbook',
    ],
    ['an old workbook', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0, 0]), 'IMPORT_FORMAT', '.xls'],
    ['a JSON array', '[{"abstract": "A"}]', 'IMPORT_FORMAT', 'JSON array'],
    [
      'other XML',
      '<?xml version="1.0"?><!-- c --><eLinkResult><a/></eLinkResult>',
      'IMPORT_XML_NOT_PUBMED',
      '<eLinkResult>',
    ],
    ['prose', 'Nothing here is a table.\nAt all.', 'IMPORT_FORMAT', 'PubMed XML'],
    ['binary data', Buffer.from([1, 0, 2, 0, 3]), 'IMPORT_FORMAT', 'PubMed XML'],
  ])('%s', async (_what, content, code, says) => {
    const found = await collect(content, 'thing.bin').catch((error: unknown) => ({ error }));
    if (!(found.error instanceof EngramError)) throw new Error('expected a fault of the file');
    const { error } = found;
    expect(error).toMatchObject({ kind: 'format', code });
    expect(error.message).toContain('thing.bin');
    expect(error.message).toContain(says);
    expect(error.next).not.toBe('');
  });

  it('a set without articles', async () => {
    const { error } = await collect(articleSet(), 'none.xml');
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_EMPTY' });
    expect(error?.message).toContain('none.xml');
  });

  it('a file that is not there, or a folder', async () => {
    expect(await errorOf(openImport(join(folder, 'none.xml')))).toMatchObject({
      kind: 'user',
      code: 'IMPORT_FILE_MISSING',
    });
    expect(await errorOf(openImport(folder))).toMatchObject({ kind: 'user', code: 'IMPORT_FILE_UNREADABLE' });
  });
});
