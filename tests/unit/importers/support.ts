import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { ImportedRecord, type Reject } from '../../../src/shared/domain/index.ts';
import { EngramError } from '../../../src/shared/errors/index.ts';
import { openImport, type ImportItem, type OpenOptions } from '../../../src/main/importers/index.ts';

/** Everything an import gave, and the error that ended it, if one did. */
export interface Collected {
  readonly kind: string;
  readonly records: ImportedRecord[];
  readonly lines: number[];
  readonly rejects: Reject[];
  readonly tombstones: string[];
  readonly error: EngramError | null;
}

/** Opens a file with its name and reads it to the end; every record is checked against the domain's schema. */
export async function collectFile(path: string, options: OpenOptions = {}): Promise<Collected> {
  const opened = await openImport(path, options);
  return { kind: opened.kind, ...(await collectItems(opened.items)) };
}

export async function collectItems(items: AsyncIterable<ImportItem>): Promise<Omit<Collected, 'kind'>> {
  const records: ImportedRecord[] = [];
  const lines: number[] = [];
  const rejects: Reject[] = [];
  const tombstones: string[] = [];
  try {
    for await (const item of items) {
      if (item.type === 'record') {
        records.push(ImportedRecord.parse(item.record));
        lines.push(item.line);
      } else if (item.type === 'reject') rejects.push(item.reject);
      else tombstones.push(...item.pmids);
    }
  } catch (error) {
    if (!(error instanceof EngramError)) throw error;
    return { records, lines, rejects, tombstones, error };
  }
  return { records, lines, rejects, tombstones, error: null };
}

/** Writes `content` to a file of this name in a new folder, reads it, and removes the folder. */
export async function collect(
  content: string | Uint8Array,
  name: string,
  options: OpenOptions = {},
): Promise<Collected> {
  const folder = mkdtempSync(join(tmpdir(), 'engram-import-'));
  try {
    const path = join(folder, name);
    writeFileSync(path, content);
    return await collectFile(path, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The error that a promise ends with; fails the test when it does not, or when it is not one of ours. */
export async function errorOf(promise: Promise<unknown>): Promise<EngramError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof EngramError) return error;
    throw error;
  }
  throw new Error('expected an error, but there was none');
}

/** A set of articles as PubMed writes it. */
export function articleSet(...articles: string[]): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN" "https://dtd.nlm.nih.gov/none.dtd">',
    '<PubmedArticleSet>',
    ...articles,
    '</PubmedArticleSet>',
    '',
  ].join('\n');
}

export interface ArticleParts {
  readonly pmid?: string;
  readonly version?: string;
  readonly title?: string;
  /** Inside <Abstract>; null = no such element. */
  readonly abstract?: string | null;
  /** Inside <PubDate>. */
  readonly date?: string;
  /** Further children of <Article>, <MedlineCitation> and <PubmedData>. */
  readonly article?: string;
  readonly citation?: string;
  readonly data?: string;
}

export function article(parts: ArticleParts = {}): string {
  const {
    pmid = '100',
    version = '1',
    title = 'A synthetic title',
    abstract = '<AbstractText>A synthetic abstract.</AbstractText>',
    date = '<Year>2020</Year>',
  } = parts;
  return [
    `<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="${version}">${pmid}</PMID>`,
    `<Article><Journal><JournalIssue><PubDate>${date}</PubDate></JournalIssue><Title>Synthetic Journal</Title></Journal>`,
    `<ArticleTitle>${title}</ArticleTitle>`,
    abstract === null ? '' : `<Abstract>${abstract}</Abstract>`,
    `<Language>eng</Language>${parts.article ?? ''}</Article>${parts.citation ?? ''}</MedlineCitation>`,
    `<PubmedData>${parts.data ?? ''}</PubmedData></PubmedArticle>`,
  ].join('\n');
}

/** Imports articles and gives the first record; fails the test when the import does. */
export async function firstRecord(...articles: string[]): Promise<ImportedRecord> {
  const { records, error } = await collect(articleSet(...articles), 'set.xml');
  if (error !== null) throw error;
  const [record] = records;
  if (record === undefined) throw new Error('the set gave no record');
  return record;
}

const WORKBOOK = `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Notes" sheetId="1" r:id="rId1"/><sheet name="Records" sheetId="2" r:id="rId2"/></sheets></workbook>`;
const RELATIONSHIPS = `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/></Relationships>`;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * An Excel workbook as the program writes it: texts in the shared table, empty cells left out, a sheet
 * without abstracts first. `more` adds parts or replaces them.
 */
export function workbook(
  rows: readonly (readonly string[])[],
  more: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const texts = rows.flat();
  const cells = (row: readonly string[], number: number): string =>
    row
      .flatMap((text, i) =>
        text === ''
          ? []
          : /^\d+$/.test(text)
            ? [`<c r="${String.fromCharCode(65 + i)}${number}"><v>${text}</v></c>`]
            : [`<c r="${String.fromCharCode(65 + i)}${number}" t="s"><v>${texts.indexOf(text)}</v></c>`],
      )
      .join('');
  const sheet = rows.map((row, i) => `<row r="${i + 1}">${cells(row, i + 1)}</row>`).join('');
  const strings = texts.map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join('');
  return zipSync({
    '[Content_Types].xml': strToU8('<?xml version="1.0"?><Types/>'),
    'xl/workbook.xml': strToU8(WORKBOOK),
    'xl/_rels/workbook.xml.rels': strToU8(RELATIONSHIPS),
    'xl/sharedStrings.xml': strToU8(`<sst>${strings}</sst>`),
    'xl/worksheets/sheet1.xml': strToU8(
      '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>A note</t></is></c></row></sheetData></worksheet>',
    ),
    'xl/worksheets/sheet2.xml': strToU8(`<worksheet><sheetData>${sheet}</sheetData></worksheet>`),
    ...more,
  });
}
