import type { ImportedRecord } from '../../shared/domain/index.ts';
import { FormatError } from '../../shared/errors/index.ts';
import { decodeText } from './bytes.ts';
import { placeColumns, knownColumns, type ColumnPlaces, type CsvField } from './csv/columns.ts';
import { hasWholeHeader, headerCells, sniffDialect } from './csv/dialect.ts';
import { splitAuthors, splitKeywords } from './csv/lists.ts';
import { csvRows, type CsvRow } from './csv/rows.ts';
import {
  cleanAbstract,
  cleanDoi,
  cleanPmid,
  EMPTY_RECORD,
  pmidFromUrl,
  pubmedUrl,
  recordItem,
  unique,
  yearIn,
} from './fields.ts';
import {
  MAX_UNIT_CHARS,
  type FileHead,
  type ImportContext,
  type ImportFormat,
  type ImportItem,
} from './types.ts';

/**
 * Tables of text, separated by commas, semicolons or tabs: the study's six columns (PMID, Title, Abstract,
 * Journal, Keywords, URL) in any order and case, and the columns that reference managers export.
 */
export const csv: ImportFormat = { kind: 'csv', label: 'CSV or TSV', detect, read };

function detect({ text }: FileHead): boolean {
  if (text === null || text.trim() === '' || /^\s*[<{[]/.test(text)) return false;
  const { delimiter, skip } = sniffDialect(text);
  const cells = headerCells(text.slice(skip), delimiter);
  return cells.length > 1 || knownColumns(cells) > 0;
}

async function* read(bytes: AsyncIterable<Uint8Array>, context: ImportContext): AsyncGenerator<ImportItem> {
  const { name, columns = {} } = context;
  const { text, delimiter } = await sniffed(decodeText(bytes, { name }), name);
  let places: ColumnPlaces | null = null;
  let width = 0;
  for await (const row of csvRows(text, delimiter, name)) {
    if (places === null) {
      places = placeColumns(row.cells, columns, name);
      width = row.cells.length;
    } else {
      yield rowItem(row, places, width);
    }
  }
}

function rowItem(row: CsvRow, places: ColumnPlaces, width: number): ImportItem {
  const extra = row.cells.slice(width).filter((cell) => cell.trim() !== '');
  if (extra.length === 0) return recordItem(rowRecord(row.cells, places), row.line);
  const reason = `${row.cells.length} cells where the header has ${width}: a separator or quote is misplaced`;
  return { type: 'reject', reject: { line: row.line, key: (row.cells[0] ?? '').slice(0, 80), reason } };
}

function rowRecord(cells: readonly string[], places: ColumnPlaces): ImportedRecord {
  const cell = (field: CsvField): string => {
    const place = places[field];
    return place === undefined ? '' : (cells[place] ?? '');
  };
  const line = (field: CsvField): string => cell(field).replace(/\s+/g, ' ').trim();
  const url = line('url');
  const pmid = cleanPmid(line('pmid')) ?? pmidFromUrl(url);
  const abstract = cleanAbstract(cell('abstract'));
  return {
    ...EMPTY_RECORD,
    pmid,
    doi: cleanDoi(line('doi')),
    title: line('title'),
    abstract,
    sections: abstract === '' ? [] : [{ label: null, nlmCategory: null, text: abstract }],
    journal: line('journal'),
    year: yearIn(line('year')),
    date: line('year'),
    authors: splitAuthors(line('authors')),
    keywords: unique(splitKeywords(line('keywords'))),
    language: line('language'),
    url: url === '' ? pubmedUrl(pmid) : url,
  };
}

interface Sniffed {
  readonly text: AsyncIterable<string>;
  readonly delimiter: string;
}

/** Reads ahead to the end of the header record to find the delimiter, and gives the text from the header on. */
async function sniffed(source: AsyncGenerator<string>, name: string): Promise<Sniffed> {
  let head = '';
  for (;;) {
    const next = await source.next();
    if (next.done === true) break;
    head += next.value;
    const { skip } = sniffDialect(head);
    if (hasWholeHeader(head.slice(skip))) break;
    if (head.length > MAX_UNIT_CHARS) {
      throw new FormatError(
        'IMPORT_CSV_MALFORMED',
        `${name}, line 1: the header never ends.`,
        'Check the quotes in the first line and that the file is a table.',
      );
    }
  }
  const { delimiter, skip } = sniffDialect(head);
  return { text: following(head.slice(skip), source), delimiter };
}

async function* following(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}
