import { EngramError, FormatError } from '../../shared/errors/index.ts';
import { type ColumnPlaces, placeColumns } from './table/columns.ts';
import { rowItem, type TableRow } from './table/record.ts';
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
};

async function* read(_bytes: AsyncIterable<Uint8Array>, context: ImportContext): AsyncGenerator<ImportItem> {
  const { name, path } = context;
  if (path === undefined) {
    throw new FormatError('IMPORT_FORMAT', `${name} is a compressed Excel workbook.`, 'Decompress it first.');
  }
  const parts = await openParts(path, name);
  try {
    const strings = await sharedStrings(parts, name);
    const sheet = await sheetWithAbstracts(parts, strings, context);
    let places: ColumnPlaces | null = null;
    let width = 0;
    for await (const row of sheetRows(parts, sheet, strings, name)) {
      if (places === null) {
        places = placeColumns(row.cells, context.columns ?? {}, name);
        width = row.cells.length;
      } else yield wholeRow(row, places, width);
    }
  } finally {
    parts.close();
  }
}

/** The first sheet that has the column; the error of the first sheet where none has. */
async function sheetWithAbstracts(
  parts: WorkbookParts,
  strings: readonly string[],
  { name, columns = {} }: ImportContext,
): Promise<Sheet> {
  let first: EngramError | null = null;
  for (const sheet of await sheetsOf(parts, name)) {
    const rows = sheetRows(parts, sheet, strings, name);
    const header = await rows.next();
    await rows.return(undefined);
    if (header.done === true) continue;
    try {
      placeColumns(header.value.cells, columns, `${name}, sheet "${sheet.name}"`);
      return sheet;
    } catch (error) {
      if (!(error instanceof EngramError)) throw error;
      first ??= error;
    }
  }
  throw (
    first ??
    new FormatError('IMPORT_EMPTY', `${name} has no sheet with a row.`, 'Check the workbook that made it.')
  );
}

function wholeRow(row: TableRow, places: ColumnPlaces, width: number): ImportItem {
  const abstract = row.cells[places.abstract ?? -1] ?? '';
  if (abstract.length < CELL_CHARS) return rowItem(row, places, width);
  const reason = `The abstract fills its cell: Excel cuts texts at ${CELL_CHARS.toLocaleString('en')} characters`;
  return { type: 'reject', reject: { line: row.line, key: (row.cells[0] ?? '').slice(0, 80), reason } };
}
