import { FormatError } from '../../shared/errors/index.ts';
import {
  type ColumnMap,
  columnKey,
  type ColumnPlaces,
  fieldOfColumn,
  placeColumns,
} from './table/columns.ts';
import { rowItem } from './table/record.ts';
import type { TableRow } from './table/row.ts';
import type { ImportContext, ImportFormat, ImportItem } from './types.ts';
import { isWorkbook } from './xlsx/detect.ts';
import { openParts, type WorkbookParts } from './xlsx/parts.ts';
import { type Sheet, sharedStrings, sheetRows, sheetsOf } from './xlsx/workbook.ts';

/** Excel keeps this many characters of a text in a cell and drops the rest without a word. */
const CELL_CHARS = 32_767;

/** Excel workbooks: the first sheet with a column of abstracts, the same columns as in a CSV. */
export const xlsx: ImportFormat = {
  kind: 'xlsx',
  label: 'Excel workbook',
  detect: ({ bytes }) => isWorkbook(bytes),
  read,
  rows,
};

async function* rows(_bytes: AsyncIterable<Uint8Array>, context: ImportContext): AsyncGenerator<TableRow> {
  const { name, path } = context;
  if (path === undefined) {
    throw new FormatError('IMPORT_FORMAT', `${name} is a compressed Excel workbook.`, 'Decompress it first.');
  }
  const parts = await openParts(path, name);
  try {
    const strings = await sharedStrings(parts, name);
    const sheet = await sheetWithAbstracts(parts, strings, context);
    yield* sheetRows(parts, sheet, strings, name);
  } finally {
    parts.close();
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
    } else yield wholeRow(row, places, width);
  }
}

/** The first sheet with a column of abstracts; where there is none, the one with the widest header. */
async function sheetWithAbstracts(
  parts: WorkbookParts,
  strings: readonly string[],
  { name, columns = {} }: ImportContext,
): Promise<Sheet> {
  let widest: { sheet: Sheet; width: number } | null = null;
  for (const sheet of await sheetsOf(parts, name)) {
    const rows = sheetRows(parts, sheet, strings, name);
    const header = await rows.next();
    await rows.return(undefined);
    if (header.done === true) continue;
    const { cells } = header.value;
    if (holdsAbstracts(cells, columns)) return sheet;
    if (cells.length > (widest?.width ?? 0)) widest = { sheet, width: cells.length };
  }
  if (widest !== null) return widest.sheet;
  throw new FormatError(
    'IMPORT_EMPTY',
    `${name} has no sheet with a row.`,
    'Check the workbook that made it.',
  );
}

function holdsAbstracts(header: readonly string[], columns: ColumnMap): boolean {
  const mapped = new Map(Object.entries(columns).map(([column, field]) => [columnKey(column), field]));
  return header.some((name) => (mapped.get(columnKey(name)) ?? fieldOfColumn(name)) === 'abstract');
}

function wholeRow(row: TableRow, places: ColumnPlaces, width: number): ImportItem {
  const abstract = row.cells[places.abstract ?? -1] ?? '';
  if (abstract.length < CELL_CHARS) return rowItem(row, places, width);
  const reason = `The abstract fills its cell: Excel cuts texts at ${CELL_CHARS.toLocaleString('en')} characters`;
  return { type: 'reject', reject: { line: row.line, key: (row.cells[0] ?? '').slice(0, 80), reason } };
}
