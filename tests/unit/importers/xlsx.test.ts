import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { collect, errorOf, workbook } from './support.ts';

const HEADER = ['PMID', 'Title', 'Abstract', 'Journal', 'Keywords', 'URL'];

describe('an Excel workbook', () => {
  it('is read from the first sheet with abstracts, empty cells and rows included', async () => {
    const bytes = workbook([
      HEADER,
      ['31234567', 'A title', 'Line one\nline two & <three>', '', 'a; b', ''],
      ['', '', '', '', '', ''],
      ['', 'No text', '', 'J', '', ''],
    ]);
    const { kind, records, lines, rejects, error } = await collect(bytes, 'table');
    expect([kind, error, lines]).toEqual(['xlsx', null, [2]]);
    expect(records[0]).toMatchObject({
      pmid: '31234567',
      title: 'A title',
      abstract: 'Line one\nline two & <three>',
      journal: '',
      keywords: ['a', 'b'],
      url: 'https://pubmed.ncbi.nlm.nih.gov/31234567/',
    });
    expect(rejects).toEqual([{ line: 4, key: 'No text', reason: 'No abstract' }]);
  });

  it('has rich text, inline text, escapes and phonetic readings put together', async () => {
    const sheet = `<worksheet xmlns:x="y"><sheetData><row><c t="inlineStr"><is><t>Title</t></is></c><c t="inlineStr"><is><t>Abstract</t></is></c></row>
      <row><c t="s"><v>0</v></c><c t="str"><f>1</f><v>one_x000D_two</v></c></row></sheetData></worksheet>`;
    const strings =
      '<sst><si><r><t>Rich </t></r><r><rPr/><t>text</t></r><rPh sb="0" eb="1"><t>reading</t></rPh></si></sst>';
    const { records } = await collect(
      workbook([], {
        'xl/worksheets/sheet2.xml': strToU8(sheet),
        'xl/sharedStrings.xml': strToU8(strings),
      }),
      'rich.xlsx',
    );
    expect(records.map((r) => [r.title, r.abstract])).toEqual([['Rich text', 'one\ntwo']]);
  });

  it('says which columns it has where none holds abstracts, and takes a map', async () => {
    const bytes = workbook([
      ['Title', 'Summary'],
      ['T', 'A'],
    ]);
    const { error } = await collect(bytes, 'map.xlsx');
    expect(error).toMatchObject({ code: 'IMPORT_CSV_NO_ABSTRACT' });
    const mapped = await collect(bytes, 'map.xlsx', { columns: { Summary: 'abstract' } });
    expect(mapped.records.map((r) => r.abstract)).toEqual(['A']);
  });

  it('rejects an abstract that Excel has cut', async () => {
    const { rejects } = await collect(
      workbook([HEADER, ['1', 'T', 'a'.repeat(32_767), '', '', '']]),
      'cut.xlsx',
    );
    expect(rejects[0]?.reason).toContain('32,767');
  });
});

/** Writes other names over those in an archive, of the same length. */
function renamed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1').replaceAll(from, to);
  return Buffer.from(text, 'latin1');
}

describe('a hostile workbook', () => {
  const sound = workbook([HEADER, ['1', 'T', 'A', '', '', '']], { 'xl/media/12345678.xml': strToU8('x') });
  const faultOf = async (bytes: Uint8Array) => {
    const { error, records } = await collect(bytes, 'hostile.xlsx');
    expect(records).toEqual([]);
    return error;
  };

  it.each(['../../../etc/passwd01.xm', '/absolute/path/name.xm', 'xl\\..\\..\\1234567890ab'])(
    'is refused for a part named %s',
    async (name) => {
      const target = name.slice(0, 'xl/media/12345678.xml'.length);
      const error = await faultOf(renamed(sound, 'xl/media/12345678.xml', target));
      expect(error).toMatchObject({ code: 'IMPORT_XLSX_PATH', kind: 'format' });
    },
  );

  it('is refused when a part grows beyond measure, before it is unpacked', async () => {
    const zeros = new Uint8Array(80 * 1024 * 1024);
    const error = await faultOf(workbook([HEADER], { 'xl/worksheets/sheet2.xml': zeros }));
    expect(error?.code).toBe('IMPORT_XLSX_BOMB');
    expect(error?.message).toContain('200 times');
  });

  it('is refused when it declares less than it holds', async () => {
    const text = strToU8(`<worksheet>${' '.repeat(100_000)}</worksheet>`);
    const bytes = Buffer.from(workbook([HEADER], { 'xl/worksheets/sheet2.xml': text }));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(text.length);
    const small = Buffer.alloc(4);
    small.writeUInt32LE(10);
    for (let at = bytes.indexOf(size); at >= 0; at = bytes.indexOf(size, at + 1)) small.copy(bytes, at);
    expect((await faultOf(bytes))?.code).toBe('IMPORT_XLSX_DAMAGED');
  });

  it('is refused when it declares entities', async () => {
    const sheet = strToU8('<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>');
    const error = await faultOf(workbook([HEADER], { 'xl/worksheets/sheet2.xml': sheet }));
    expect(error?.code).toBe('IMPORT_XLSX_DAMAGED');
    expect(error?.message).toContain('entities');
  });

  it('is refused when it is cut, or is another kind of archive', async () => {
    expect((await faultOf(sound.subarray(0, sound.length - 30)))?.code).toBe('IMPORT_XLSX_DAMAGED');
    const other = zipSync({
      '[Content_Types].xml': strToU8('<Types/>'),
      'word/document.xml': strToU8('<a/>'),
    });
    expect((await faultOf(other))?.code).toBe('IMPORT_XLSX_NO_PART');
    const archive = zipSync({ 'a.csv': strToU8('Title,Abstract') });
    expect((await errorOf(collect(archive, 'a.zip'))).code).toBe('IMPORT_FORMAT');
  });
});
