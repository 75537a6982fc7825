import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
