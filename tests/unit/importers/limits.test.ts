import { gzipSync } from 'node:zlib';
import { strToU8 } from 'fflate';
import { describe, expect, it } from 'vitest';
import { gunzip } from '../../../src/main/importers/bytes.ts';
import { IMPORT_FORMATS } from '../../../src/main/importers/index.ts';
import { MAX_UNIT_CHARS } from '../../../src/main/importers/types.ts';
import { article, collect, collectItems, errorOf, workbook } from './support.ts';

const MEGABYTE = 1024 * 1024;

/** Starts of files that then never end, and the error each is refused with. */
const ENDLESS: [string, string, string, string, string][] = [
  [
    'pubmed-xml',
    'one line',
    '<PubmedArticleSet><PubmedArticle><a>',
    'a'.repeat(MEGABYTE),
    'IMPORT_XML_TOO_LARGE',
  ],
  ['jsonl', 'one line', '{"title":"', 'a'.repeat(MEGABYTE), 'IMPORT_LINE_TOO_LONG'],
  ['csv', 'a header', 'Title,Abstract', 'a'.repeat(MEGABYTE), 'IMPORT_CSV_MALFORMED'],
  ['csv', 'a row', 'Title,Abstract\n', 'a'.repeat(MEGABYTE), 'IMPORT_CSV_MALFORMED'],
  [
    'csv',
    'a quoted cell',
    'Title,Abstract\nA,"',
    `${'a'.repeat(4095)}\n`.repeat(256),
    'IMPORT_CSV_MALFORMED',
  ],
  ['ris', 'one line', 'TY  - JOUR\nAB  - ', 'a'.repeat(MEGABYTE), 'IMPORT_LINE_TOO_LONG'],
  [
    'ris',
    'a text of many lines',
    'TY  - JOUR\nAB  - ',
    `${'abc '.repeat(1023)}\n`.repeat(256),
    'IMPORT_RECORD_TOO_LONG',
  ],
  ['nbib', 'one line', 'PMID- 1\nAB  - ', 'a'.repeat(MEGABYTE), 'IMPORT_LINE_TOO_LONG'],
  [
    'nbib',
    'a record of many lines',
    'PMID- 1\n',
    `AU  - ${'Doe J '.repeat(680)}\n`.repeat(256),
    'IMPORT_RECORD_TOO_LONG',
  ],
];

describe('a file that never ends', () => {
  it.each(ENDLESS)('%s, %s: refused with the limit', async (kind, _what, start, more, code) => {
    const format = IMPORT_FORMATS.find((f) => f.kind === kind);
    if (format === undefined) throw new Error('no such format');
    let fed = 0;
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(Buffer.from(start));
      for (;;) {
        fed += more.length;
        yield Buffer.from(more);
      }
    }
    const { error } = await collectItems(format.read(bytes(), { name: 'endless' }));
    expect(error?.code).toBe(code);
    expect(error?.message).toContain('endless');
    expect(error?.message).toMatch(/16 million|never ends|16777216|exceed/i);
    expect(fed).toBeLessThan(MAX_UNIT_CHARS + 4 * MEGABYTE);
  });
});

describe('what grows when it is unpacked', () => {
  it('is refused beyond 200 times, with what came before it', async () => {
    const bomb = gzipSync(Buffer.alloc(80 * MEGABYTE, 0x20));
    expect(bomb.length).toBeLessThan(MEGABYTE);
    let given = 0;
    const read = async (): Promise<void> => {
      async function* source(): AsyncGenerator<Uint8Array> {
        yield await Promise.resolve(bomb);
      }
      for await (const chunk of gunzip(source(), 'bomb.gz')) given += chunk.length;
    };
    const error = await errorOf(read());
    expect(error.code).toBe('IMPORT_GZIP_BOMB');
    expect(error.message).toContain('200 times');
    expect(given).toBeLessThan(90 * MEGABYTE);
  });

  it('is read when it is a large file of many equal articles', async () => {
    const text = `<PubmedArticleSet>${article({ title: 'x'.repeat(2000) }).repeat(300)}</PubmedArticleSet>`;
    const { records, error } = await collect(gzipSync(text), 'equal.xml.gz');
    expect([records.length, error]).toEqual([300, null]);
  });

  it('is refused when one row of a sheet is beyond all measure', async () => {
    const cell = `<c t="inlineStr"><is><t>${'a'.repeat(MEGABYTE / 2)}</t></is></c>`;
    const cells = cell.repeat(34);
    const sheet = `<worksheet><sheetData><row><c t="inlineStr"><is><t>Abstract</t></is></c></row><row>${cells}</row></sheetData></worksheet>`;
    const { error } = await collect(workbook([], { 'xl/worksheets/sheet2.xml': strToU8(sheet) }), 'row.xlsx');
    expect(error?.code).toBe('IMPORT_XLSX_BOMB');
    expect(error?.message).toContain('row 2');
  });
});

describe('sets as PubMed gave them before', () => {
  it('hold citations without the article around them', async () => {
    const citation = /<MedlineCitation.*<\/MedlineCitation>/s.exec(article({ pmid: '5' }))?.[0] ?? '';
    const text = `<?xml version="1.0"?><!DOCTYPE MedlineCitationSet PUBLIC "-//NLM//DTD Medline Citation, 1st January, 2016//EN" "x.dtd"><MedlineCitationSet>${citation}<DeleteCitation><PMID>7</PMID></DeleteCitation></MedlineCitationSet>`;
    const { records, tombstones, error } = await collect(text, 'medline16n0902.xml');
    expect([records.map((r) => r.pmid), tombstones, error]).toEqual([['5'], ['7'], null]);
  });

  it('may follow one another in one file', async () => {
    const set = (pmid: string) =>
      `<?xml version="1.0"?>\n<PubmedArticleSet>${article({ pmid })}</PubmedArticleSet>\n`;
    const { records, lines, error } = await collect(set('1') + set('2'), 'two.xml');
    expect([records.map((r) => r.pmid), error]).toEqual([['1', '2'], null]);
    expect(lines[1]).toBeGreaterThan(lines[0] ?? 0);
  });
});
