import { describe, expect, it } from 'vitest';
import { parseColumnMap } from '../../../src/main/importers/index.ts';
import { collect, errorOf } from './support.ts';

const COLUMNS = ['PMID', 'Title', 'Abstract', 'Journal', 'Keywords', 'URL'];
const ROW = ['123', 'On seizures', 'An abstract.', 'J Synth', 'EEG; sleep', 'https://example.org/1'];
const table = (separator: string, ...rows: string[][]): string =>
  rows.map((row) => row.join(separator)).join('\n');

describe('the study’s six columns', () => {
  it.each([
    ['commas', ','],
    ['semicolons', ';'],
    ['tabs', '\t'],
  ])('separated by %s', async (_name, separator) => {
    const row = ROW.map((cell) => (cell.includes(separator) ? `"${cell}"` : cell));
    const { kind, records, lines, error } = await collect(table(separator, COLUMNS, row), 'table.txt');
    expect([kind, error, lines]).toEqual(['csv', null, [2]]);
    expect(records[0]).toMatchObject({
      pmid: '123',
      title: 'On seizures',
      abstract: 'An abstract.',
      sections: [{ label: null, nlmCategory: null, text: 'An abstract.' }],
      journal: 'J Synth',
      keywords: ['EEG', 'sleep'],
      url: 'https://example.org/1',
      year: null,
      flags: [],
    });
  });

  it('in any case and order, with a byte-order mark, CRLF and spaces around the names', async () => {
    const text = '\ufeffabstract , TITLE,pmid\r\nText.,A title,7\r\n';
    const { records } = await collect(text, 'bom.csv');
    expect(records).toMatchObject([{ pmid: '7', title: 'A title', abstract: 'Text.' }]);
  });

  it('with the line that Excel writes before them', async () => {
    const { records } = await collect(
      `sep=;\r\n${table(
        ';',
        ['Title', 'Abstract'],
        ['T', 'A, b; c'].map((c) => `"${c}"`),
      )}`,
      'x.csv',
    );
    expect(records).toMatchObject([{ title: 'T', abstract: 'A, b; c' }]);
  });

  it('in UTF-16, as Excel saves Unicode text', async () => {
    const bytes = Buffer.from(
      `\ufeff${table('\t', ['Title', 'Abstract'], ['Crise', 'Épilepsie.'])}`,
      'utf16le',
    );
    expect((await collect(bytes, 'x.txt')).records).toMatchObject([
      { title: 'Crise', abstract: 'Épilepsie.' },
    ]);
  });

  it('with a year, a DOI and authors beside them', async () => {
    const text = table(
      ',',
      ['Title', 'Abstract', 'Year', 'DOI', 'Authors', 'URL'],
      [
        'T',
        'A',
        '2014//',
        'https://doi.org/10.1000/X.1',
        '"Liu R., Adler D.G."',
        'https://pubmed.ncbi.nlm.nih.gov/42/',
      ],
      ['T', 'A', '', 'none', "\"['Marx, Karl', 'Lindgren, Astrid']\"", ''],
      ['T', 'A', '', '', '"Marx, Karl"', ''],
    );
    const { records } = await collect(text, 'x.csv');
    expect(records).toMatchObject([
      { pmid: '42', year: 2014, doi: '10.1000/X.1', authors: ['Liu R.', 'Adler D.G.'] },
      { pmid: null, year: null, doi: null, authors: ['Marx, Karl', 'Lindgren, Astrid'] },
      { authors: ['Marx, Karl'] },
    ]);
  });
});

describe('rows', () => {
  it('may hold line ends and separators in quotes, and are found at their first line', async () => {
    const text = 'Title,Abstract\n"A\ntitle","BACKGROUND: one,\n\n  two ""quoted"".\r\nEND"\n\n\nB,second\n';
    const { records, lines } = await collect(text, 'x.csv');
    expect(records).toMatchObject([
      { title: 'A title', abstract: 'BACKGROUND: one,\ntwo "quoted".\nEND' },
      { title: 'B', abstract: 'second' },
    ]);
    expect(lines).toEqual([2, 9]);
  });

  it('without an abstract are counted, with their line', async () => {
    const text = table(
      ',',
      ['PMID', 'Title', 'Abstract'],
      ['1', 'T', ''],
      ['2', 'T', 'nan'],
      ['3', 'T', 'Text'],
      ['', '', ' '],
    );
    const { records, rejects } = await collect(text, 'x.csv');
    expect(records.map((r) => r.pmid)).toEqual(['3']);
    expect(rejects).toEqual([
      { line: 2, key: 'PMID 1', reason: 'No abstract' },
      { line: 3, key: 'PMID 2', reason: 'No abstract' },
      { line: 5, key: '', reason: 'Neither title nor abstract' },
    ]);
  });

  it('with more cells than columns are rejected, never shifted', async () => {
    const text = table(',', ['Title', 'Abstract', 'Journal'], ['T', 'one', ' two', 'J'], ['T', 'ok']);
    const { records, rejects } = await collect(text, 'x.csv');
    expect(records.map((r) => r.abstract)).toEqual(['ok']);
    expect(rejects).toMatchObject([{ line: 2 }]);
    expect(rejects[0]?.reason).toContain('4 cells where the header has 3');
  });

  it.each([
    ['PMID: 12', '12'],
    ['12.0', '12'],
    [' 0012 ', '12'],
    ['PMC12', null],
    ['123456789', null],
    ['0', null],
  ])('with %j as their PMID have %j', async (cell, pmid) => {
    const { records } = await collect(table(',', ['PMID', 'Abstract'], [cell, 'Text']), 'x.csv');
    expect(records[0]?.pmid).toBe(pmid);
  });
});

describe('a table that cannot be used', () => {
  it('has no Abstract column', async () => {
    const { records, error } = await collect(
      table(',', ['PMID', 'Title', 'Summary'], ['1', 'T', 'Text']),
      'no-abstract.csv',
    );
    expect(records).toEqual([]);
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_CSV_NO_ABSTRACT' });
    expect(error?.message).toContain('no-abstract.csv');
    expect(error?.message).toContain('PMID, Title, Summary');
    expect(error?.next).toContain('--map');
  });

  it('opens a quote that is never closed; the rows before it are kept', async () => {
    const { records, error } = await collect('Title,Abstract\nA,one\nB,"two\nC,three\n', 'quote.csv');
    expect(records.map((r) => r.title)).toEqual(['A']);
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_CSV_QUOTE' });
    expect(error?.message).toContain('quote.csv, line 3');
  });

  it('has a header and nothing else', async () => {
    const { error } = await collect('Title,Abstract\n', 'header.csv');
    expect(error).toMatchObject({ kind: 'format', code: 'IMPORT_EMPTY' });
  });

  it('is UTF-8 at first and then not', async () => {
    const bytes = Buffer.concat([
      Buffer.from('Title,Abstract\nÀ,one\n'),
      Buffer.from('B,Accès et épilepsie\n', 'latin1'),
    ]);
    const { records, error } = await collect(bytes, 'mixed.csv');
    expect(records.map((r) => r.title)).toEqual(['À']);
    expect(error?.code).toBe('IMPORT_ENCODING');
  });
});

describe('encodings', () => {
  it('Windows-1252 is read, and said', async () => {
    const notes: string[] = [];
    const bytes = Buffer.concat([
      Buffer.from('Title;Abstract\r\nA;one\r\nB;Accès et ', 'latin1'),
      Buffer.from([0x93, 0x73, 0x94, 0x80]),
    ]);
    const { records, error } = await collect(bytes, 'excel.csv', { note: (text) => notes.push(text) });
    expect(error).toBeNull();
    expect(records.map((r) => r.abstract)).toEqual(['one', 'Accès et “s”€']);
    expect(notes).toEqual(['excel.csv is not UTF-8; it is read as Windows-1252.']);
  });

  it.each(['utf16le', 'utf-16be'])('%s is read, with its mark or without', async (encoding) => {
    const plain = 'Title\tAbstract\r\nÉ\tμV\r\n';
    const bytes = (text: string) => {
      const little = Buffer.from(text, 'utf16le');
      return encoding === 'utf16le' ? little : little.swap16();
    };
    for (const text of [`\ufeff${plain}`, plain]) {
      const { kind, records, error } = await collect(bytes(text), 'unicode.txt');
      expect([kind, error, records[0]?.title, records[0]?.abstract]).toEqual(['csv', null, 'É', 'μV']);
    }
  });
});

describe('a column map', () => {
  const text = table(',', ['Id', 'Title', 'Abstract', 'My Summary'], ['5', 'T', 'Short', 'Long']);
  it('says which columns to take, and wins over known names', async () => {
    const columns = parseColumnMap(['my summary=abstract', 'ID = PMID']);
    const { records } = await collect(text, 'x.csv', { columns });
    expect(records).toMatchObject([{ pmid: '5', title: 'T', abstract: 'Long' }]);
  });

  it('must name a column that is there', async () => {
    const { error } = await collect(text, 'x.csv', { columns: { Nowhere: 'abstract' } });
    expect(error).toMatchObject({ kind: 'user', code: 'IMPORT_MAP' });
    expect(error?.message).toContain('"Nowhere"');
  });

  it.each(['abstract', '=abstract', 'A=colour', 'A=toString'])('%j is not one', async (entry) => {
    const error = await errorOf(Promise.resolve().then(() => parseColumnMap([entry])));
    expect(error).toMatchObject({ kind: 'user', code: 'IMPORT_MAP' });
    expect(error.message).toContain(entry);
  });
});
