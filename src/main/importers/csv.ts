import { FormatError } from '../../shared/errors/index.ts';
import { decodeText } from './decode.ts';
import { announcedChars, hasWholeHeader, headerCells, sniffDialect } from './csv/dialect.ts';
import { csvRows } from './csv/rows.ts';
import { placeColumns, knownColumns, type ColumnPlaces } from './table/columns.ts';
import { rowItem } from './table/record.ts';
import type { TableRow } from './table/row.ts';
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
export const csv: ImportFormat = { kind: 'csv', label: 'CSV or TSV', detect, read, rows };

function detect({ text }: FileHead): boolean {
  if (text === null || text.trim() === '' || /^\s*[<{[]/.test(text)) return false;
  const { delimiter, skip } = sniffDialect(text);
  const cells = headerCells(text.slice(skip), delimiter);
  return cells.length > 1 || knownColumns(cells) > 0;
}

async function* rows(
  bytes: AsyncIterable<Uint8Array>,
  { name, note }: ImportContext,
): AsyncGenerator<TableRow> {
  const source = decodeText(bytes, { name, singleByte: true, note });
  try {
    const { text, delimiter } = await sniffed(source, name);
    yield* csvRows(text, delimiter, name);
  } finally {
    // Read by hand, and so closed by hand: it holds the file.
    await source.return(undefined);
  }
}

async function* read(bytes: AsyncIterable<Uint8Array>, context: ImportContext): AsyncGenerator<ImportItem> {
  const { name, columns = {} } = context;
  let places: ColumnPlaces | null = null;
  let width = 0;
  for await (const row of rows(bytes, context)) {
    if (places === null) {
      places = placeColumns(row.cells, columns, name);
      width = row.cells.length;
    } else {
      yield rowItem(row, places, width);
    }
  }
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
    // Only a line end can end the header, so that one endless line is not looked through again and again.
    if (/[\r\n]/.test(next.value) && hasWholeHeader(head.slice(announcedChars(head)))) break;
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
