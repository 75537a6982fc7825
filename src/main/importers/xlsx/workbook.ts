import { FormatError } from '../../../shared/errors/index.ts';
import type { TableRow } from '../table/row.ts';
import { MAX_UNIT_CHARS } from '../types.ts';
import type { XmlAttributes } from '../xml/tag.ts';
import { type PartHandler, readPart } from './xml.ts';
import type { WorkbookParts } from './parts.ts';

export interface Sheet {
  readonly name: string;
  readonly part: string;
}

/** Sheets of a workbook in the order of their tabs, hidden ones last. */
export async function sheetsOf(parts: WorkbookParts, file: string): Promise<Sheet[]> {
  const sheets: { name: string; id: string; hidden: boolean }[] = [];
  await readAll(parts, 'xl/workbook.xml', file, (name, attributes) => {
    if (name !== 'sheet') return;
    const id = Object.entries(attributes).find(([key]) => /(?:^|:)id$/.test(key))?.[1] ?? '';
    const hidden = (attributes['state'] ?? 'visible') !== 'visible';
    sheets.push({ name: attributes['name'] ?? '', id, hidden });
  });
  const targets = new Map<string, string>();
  await readAll(parts, 'xl/_rels/workbook.xml.rels', file, (name, attributes) => {
    if (name === 'Relationship') targets.set(attributes['Id'] ?? '', attributes['Target'] ?? '');
  });
  return sheets
    .toSorted((a, b) => Number(a.hidden) - Number(b.hidden))
    .map(({ name, id }) => ({ name, part: partName(targets.get(id) ?? '') }))
    .filter(({ part }) => parts.has(part));
}

/** A relationship's target is relative to `xl/`, or absolute within the archive. */
function partName(target: string): string {
  return target.startsWith('/') ? target.slice(1) : `xl/${target.replace(/^\.\//, '')}`;
}

async function readAll(
  parts: WorkbookParts,
  part: string,
  file: string,
  open: (name: string, attributes: XmlAttributes) => void,
): Promise<void> {
  const handler = { open, close: () => undefined, text: () => undefined };
  const nothing = readPart<never>(parts.read(part), part, file, handler, () => []);
  for await (const _none of nothing) continue;
}

const STRINGS = 'xl/sharedStrings.xml';
/** Characters of the table of strings, the one part that has to be held: about 150,000 abstracts. */
const MAX_STRING_CHARS = 256 * 1024 * 1024;

/** The table of texts that cells point to, in its order; phonetic readings left out. */
export async function sharedStrings(parts: WorkbookParts, file: string): Promise<string[]> {
  const strings: string[] = [];
  if (!parts.has(STRINGS)) return strings;
  let open: string[] = [];
  let inText = false;
  let phonetic = false;
  let chars = 0;
  const handler: PartHandler = {
    open: (name) => {
      if (name === 'si') open = [];
      if (name === 'rPh') phonetic = true;
      if (name === 't') inText = !phonetic;
    },
    close: (name) => {
      if (name === 't') inText = false;
      if (name === 'rPh') phonetic = false;
      if (name === 'si') strings.push(unescaped(open.join('')));
    },
    text: (text) => {
      if (!inText) return;
      chars += text.length;
      if (chars > MAX_STRING_CHARS) throw tooManyStrings(file);
      open.push(text);
    },
  };
  for await (const _none of readPart<never>(parts.read(STRINGS), STRINGS, file, handler, () => [])) continue;
  return strings;
}

/** `_x000D_` stands for the character U+000D. */
function unescaped(text: string): string {
  if (!text.includes('_x')) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

const MAX_COLUMNS = 16_384;

/** Rows of a sheet that are not empty, numbered as the sheet numbers them. */
export function sheetRows(
  parts: WorkbookParts,
  { part }: Sheet,
  strings: readonly string[],
  file: string,
): AsyncGenerator<TableRow> {
  let ready: TableRow[] = [];
  let row = 0;
  let column = -1;
  let cells: string[] = [];
  let type = '';
  let text: string[] = [];
  let inValue = false;
  let phonetic = false;
  let chars = 0;
  const handler: PartHandler = {
    open: (name, attributes) => {
      if (name === 'row') {
        chars = 0;
        row = Number(attributes['r'] ?? row + 1) || row + 1;
        column = -1;
        cells = [];
      } else if (name === 'c') {
        column = columnOf(attributes['r']) ?? column + 1;
        if (column >= MAX_COLUMNS) throw tooManyColumns(file, row);
        type = attributes['t'] ?? 'n';
        text = [];
      } else if (name === 'rPh') phonetic = true;
      else inValue = !phonetic && (name === 'v' || name === 't');
    },
    close: (name) => {
      if (name === 'rPh') phonetic = false;
      if (name === 'v' || name === 't') inValue = false;
      if (name === 'c') {
        while (cells.length < column) cells.push('');
        cells[column] = cellText(type, text.join(''), strings);
      }
      if (name === 'row' && cells.some((cell) => cell.trim() !== '')) ready.push({ cells, line: row });
    },
    text: (piece) => {
      if (!inValue) return;
      chars += piece.length;
      if (chars > MAX_UNIT_CHARS) throw rowTooLong(file, row);
      text.push(piece);
    },
  };
  return readPart(parts.read(part), part, file, handler, () => {
    const taken = ready;
    ready = [];
    return taken;
  });
}

function cellText(type: string, text: string, strings: readonly string[]): string {
  if (type === 's') return strings[Number(text)] ?? '';
  if (type === 'e') return '';
  return type === 'inlineStr' || type === 'str' ? unescaped(text) : text;
}

/** `BC12` is column 54, counted from 0; null without letters. */
function columnOf(reference: string | undefined): number | null {
  const letters = /^([A-Z]{1,4})\d*$/.exec(reference ?? '')?.[1];
  if (letters === undefined) return null;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

function tooManyStrings(file: string): FormatError {
  return new FormatError(
    'IMPORT_XLSX_BOMB',
    `${file} holds more than ${MAX_STRING_CHARS / 1024 / 1024} million characters of text in its cells, which is the limit.`,
    'Save the sheet as CSV, which has none.',
  );
}

function rowTooLong(file: string, row: number): FormatError {
  return new FormatError(
    'IMPORT_XLSX_BOMB',
    `${file}, row ${row}: the row is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million characters, which is the limit.`,
    'Save the sheet with the abstracts alone, or as CSV.',
  );
}

function tooManyColumns(file: string, row: number): FormatError {
  return new FormatError(
    'IMPORT_XLSX_BOMB',
    `${file}, row ${row}: the row has more than ${MAX_COLUMNS} columns, which is the limit of a sheet.`,
    'Save the sheet as CSV.',
  );
}
