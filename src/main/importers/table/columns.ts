import type { TableField } from '../../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../../shared/errors/index.ts';

/** What a column of a table can hold, and the names under which exports of other tools carry it; two letters are Web of Science's. */
const FIELDS = {
  pmid: ['pmid', 'pubmedid', 'pubmedpmid', 'pm'],
  title: ['title', 'articletitle', 'primarytitle', 'documenttitle', 'originaltitle', 'ti'],
  abstract: ['abstract', 'abstracttext', 'abstractnote', 'notesabstract', 'ab'],
  journal: [
    'journal',
    'journaltitle',
    'journalbook',
    'publicationtitle',
    'sourcetitle',
    'journalname',
    'source',
    'so',
  ],
  keywords: ['keywords', 'keyword', 'authorkeywords', 'manualtags', 'de'],
  url: ['url', 'link', 'urls', 'openurllink', 'articleurl'],
  year: ['year', 'publicationyear', 'pubyear', 'publicationdate', 'date', 'py'],
  doi: ['doi', 'di'],
  authors: ['authors', 'author', 'authornames', 'authorlist', 'firstauthors', 'au'],
  language: ['language', 'languageoforiginaldocument', 'la'],
} as const satisfies Record<TableField, readonly string[]>;

export const isTableField = (name: string): name is TableField => Object.hasOwn(FIELDS, name);

/** Column name to the field it holds, `none` for a column to leave out; names are compared without case, spaces and punctuation. */
export type ColumnMap = Readonly<Record<string, TableField | 'none'>>;

/** Where each field stands in a row, counted from 0; fields the table does not have are absent. */
export type ColumnPlaces = Partial<Record<TableField, number>>;

/**
 * `COLUMN=FIELD` arguments as a column map.
 * Throws a UserInputError (IMPORT_MAP) for an argument of another form or an unknown field.
 */
export function parseColumnMap(entries: readonly string[]): ColumnMap {
  const map: Record<string, TableField | 'none'> = {};
  for (const entry of entries) {
    const equals = entry.lastIndexOf('=');
    const field = entry
      .slice(equals + 1)
      .trim()
      .toLowerCase();
    if (equals < 1 || (field !== 'none' && !isTableField(field))) {
      throw new UserInputError(
        'IMPORT_MAP',
        `"${entry}" does not say which column holds which field.`,
        `Write COLUMN=FIELD with one of the fields ${Object.keys(FIELDS).join(', ')} or none.`,
      );
    }
    map[entry.slice(0, equals).trim()] = field;
  }
  return map;
}

/**
 * Finds the fields in a header. A mapped column wins over one with a known name; among known names the
 * more usual one wins. Throws a FormatError (IMPORT_CSV_NO_ABSTRACT) when no column holds abstracts, and a
 * UserInputError (IMPORT_MAP) when a mapped column is not there.
 */
export function placeColumns(header: readonly string[], map: ColumnMap, file: string): ColumnPlaces {
  const names = header.map(columnKey);
  const free = [...names];
  const places: ColumnPlaces = {};
  for (const [column, field] of Object.entries(map)) {
    const place = names.indexOf(columnKey(column));
    if (place < 0) {
      throw new UserInputError(
        'IMPORT_MAP',
        `${file} has no column "${column}"; its columns are ${listed(header)}.`,
        'Correct the name in --map.',
      );
    }
    free[place] = '';
    if (field !== 'none') places[field] = place;
  }
  for (const [field, aliases] of Object.entries(FIELDS)) {
    if (!isTableField(field) || places[field] !== undefined) continue;
    const place = aliases.map((alias) => free.indexOf(alias)).find((index) => index >= 0);
    if (place !== undefined) places[field] = place;
  }
  if (places.abstract === undefined) throw noAbstract(header, file);
  return places;
}

/** What a column holds by its name alone; null where the name says nothing. */
export function fieldOfColumn(name: string): TableField | null {
  const key = columnKey(name);
  const found = Object.entries(FIELDS).find(([, aliases]) => aliases.some((alias) => alias === key))?.[0];
  return found !== undefined && isTableField(found) ? found : null;
}

/** How many cells of a row carry a known column name: what a header has and other rows have not. */
export function knownColumns(cells: readonly string[]): number {
  const known: ReadonlySet<string> = new Set(Object.values(FIELDS).flat());
  return cells.filter((cell) => known.has(columnKey(cell))).length;
}

/** A column's name without case, spaces and punctuation. */
export function columnKey(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

const MOST_LISTED = 30;

function listed(header: readonly string[]): string {
  const shown = header.slice(0, MOST_LISTED).map((name) => name.trim().slice(0, 40) || '(unnamed)');
  const more = header.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

function noAbstract(header: readonly string[], file: string): FormatError {
  if (['nihmsid', 'createdate', 'citation'].every((name) => header.map(columnKey).includes(name))) {
    return new FormatError(
      'IMPORT_CSV_NO_ABSTRACT',
      `${file} is the CSV that PubMed's website saves, which holds no abstracts.`,
      'Save the same search from PubMed in the format "PubMed", or as XML.',
    );
  }
  return new FormatError(
    'IMPORT_CSV_NO_ABSTRACT',
    `${file} has no Abstract column; its columns are ${listed(header)}.`,
    'Name the column that holds the abstracts, e.g. --map "Summary=abstract", or add one.',
  );
}
