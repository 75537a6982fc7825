import { parse as parseCsv } from 'csv-parse/sync';
import { z } from 'zod';
import { Answer, Prompt, type PairLine } from '../../../shared/domain/index.ts';
import { FormatError } from '../../../shared/errors/index.ts';
import { csvText } from '../../exporters/csv.ts';

/** Alternatives inside one cell. */
const ALTERNATIVES = '|';

/** A cell that a spreadsheet would run is written behind an apostrophe (see `csvText`), and read without it. */
const GUARDED = /^'+[=+\-@\t\r]/;
const guarded = (text: string): string => (GUARDED.test(text) ? `'${text}` : text);
const unguarded = (text: string): string => (GUARDED.test(text) ? text.slice(1) : text);

const Ids = Prompt.options[1];

/** JSON of a cell where it is what the schema holds. */
function json<T>(text: string, begins: RegExp, schema: z.ZodType<T>): T | undefined {
  if (!begins.test(text)) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Text as it stands, unless it would be read as something else: then as a JSON string. */
function quotedWhere(text: string, misread: (text: string) => boolean): string {
  return misread(text) ? JSON.stringify(text) : text;
}

/** The text of a cell that `quotedWhere` may have written. */
function unquoted(text: string, misread: (text: string) => boolean): string {
  const inner = json(text, /^"/, z.string());
  return inner !== undefined && misread(inner) ? inner : text;
}

const readAsIds = (text: string): boolean =>
  json(text, /^\{/, Ids) !== undefined || unquoted(text, readAsIds) !== text;
const readAsNumber = (text: string): boolean => /^-?\d+$/.test(text) || unquoted(text, readAsNumber) !== text;
const Indices = z.array(z.number());
const readAsIndices = (text: string): boolean =>
  json(text, /^\[/, Indices) !== undefined || unquoted(text, readAsIndices) !== text;

const promptCell = (prompt: PairLine['clean']): string =>
  typeof prompt === 'string' ? quotedWhere(prompt, readAsIds) : JSON.stringify(prompt);
const promptOf = (cell: string): unknown => json(cell, /^\{/, Ids) ?? unquoted(cell, readAsIds);

function answersCell(answers: PairLine['answer']): string {
  const joined = answers.join(ALTERNATIVES);
  const plain = answers.every((answer) => typeof answer === 'string' && !answer.includes(ALTERNATIVES));
  return plain && json(joined, /^\[/, z.array(Answer)) === undefined ? joined : JSON.stringify(answers);
}
const answersOf = (cell: string): unknown => json(cell, /^\[/, z.array(Answer)) ?? cell.split(ALTERNATIVES);

interface Column {
  readonly name: keyof PairLine;
  /** Empty = the line has none. */
  readonly write: (line: PairLine) => string;
  readonly read: (cell: string) => unknown;
}

const text = (name: 'id' | 'type' | 'item' | 'answer_mode'): Column => ({
  name,
  write: (line) => line[name] ?? '',
  read: (cell) => cell,
});

/** The columns of a pair set as CSV; a file may leave out all but the first five. */
const COLUMNS: readonly Column[] = [
  text('id'),
  { name: 'clean', write: ({ clean }) => promptCell(clean), read: promptOf },
  { name: 'corrupted', write: ({ corrupted }) => promptCell(corrupted), read: promptOf },
  { name: 'answer', write: ({ answer }) => answersCell(answer), read: answersOf },
  { name: 'wrong', write: ({ wrong }) => answersCell(wrong), read: answersOf },
  text('type'),
  text('item'),
  text('answer_mode'),
  {
    name: 'read',
    write: ({ read }) => (typeof read === 'number' ? String(read) : quotedWhere(read, readAsNumber)),
    read: (cell) => (/^-?\d+$/.test(cell) ? Number(cell) : unquoted(cell, readAsNumber)),
  },
  {
    name: 'key',
    write: ({ key }) =>
      key === undefined
        ? ''
        : typeof key === 'string'
          ? quotedWhere(key, readAsIndices)
          : JSON.stringify(key),
    read: (cell) => json(cell, /^\[/, Indices) ?? unquoted(cell, readAsIndices),
  },
  {
    name: 'spans',
    write: ({ spans }) => (spans === undefined ? '' : JSON.stringify(spans)),
    // What is no JSON object stays text, and is refused with its line.
    read: (cell) => json(cell, /^\{/, z.record(z.string(), z.unknown())) ?? cell,
  },
  {
    name: 'source',
    write: ({ source }) => (source === undefined ? '' : promptCell(source)),
    read: promptOf,
  },
];

/**
 * Pairs as CSV with a header, one row each: `parsePairs` reads the same lines back. Prompts and answers of token ids,
 * answers that hold “|”, spans and key indices are JSON in their cell.
 */
export function pairsCsv(lines: readonly PairLine[]): string {
  return csvText(
    COLUMNS.map(({ name }) => name),
    lines.map((line) => COLUMNS.map(({ write }) => guarded(write(line)))),
  );
}

/** Rows of a CSV as what a pair line should be, with their line numbers. @throws FormatError PAIRS_CSV_INVALID. */
export function csvRows(body: string): { line: number; value: unknown }[] {
  try {
    const rows: { record: Record<string, string>; info: { lines: number } }[] = parseCsv(body, {
      columns: true,
      info: true,
      skip_empty_lines: true,
      trim: false,
    });
    return rows.map(({ record, info }) => ({ line: info.lines, value: fromRow(record) }));
  } catch (error) {
    throw new FormatError(
      'PAIRS_CSV_INVALID',
      `The pairs are neither JSON lines nor readable CSV: ${error instanceof Error ? error.message : ''}.`,
      'Give one JSON object a line, or CSV with the columns id, clean, corrupted, answer, wrong.',
      error,
    );
  }
}

function fromRow(row: Record<string, string>): unknown {
  return Object.fromEntries(
    COLUMNS.flatMap(({ name, read }) => {
      const cell = row[name];
      return cell === undefined || cell === '' ? [] : [[name, read(unguarded(cell))]];
    }),
  );
}
