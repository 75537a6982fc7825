import { FormatError } from '../../../shared/errors/index.ts';
import type { Line } from '../bytes.ts';
import { MAX_UNIT_CHARS } from '../types.ts';

/** A field of a record of tagged lines, its continuations joined by line ends. */
export interface TaggedField {
  readonly tag: string;
  readonly value: string;
  /** Line of the tag, from 1. */
  readonly line: number;
}

export interface TaggedRecord {
  readonly fields: readonly TaggedField[];
  readonly line: number;
}

/** How one format of tagged lines differs from another. */
export interface TaggedDialect {
  /** A line that begins a field, as [tag, value]; null for a continuation. */
  readonly field: (line: string) => readonly [string, string] | null;
  /** Whether this tag begins a record when those fields are open; `gap`: an empty line stands before it. */
  readonly begins: (tag: string, open: ReadonlySet<string>, gap: boolean) => boolean;
  /** Whether this tag ends the record it stands in. */
  readonly ends: (tag: string) => boolean;
  /** Whether a line stands between records, as an empty one may. */
  readonly separates?: (line: string) => boolean;
}

/**
 * Groups lines into records. Lines before the first field belong to none and are passed over. A record beyond
 * the limit is a FormatError (IMPORT_RECORD_TOO_LONG).
 */
export async function* taggedRecords(
  lines: AsyncIterable<Line>,
  dialect: TaggedDialect,
  name: string,
): AsyncGenerator<TaggedRecord> {
  let chars = 0;
  let fields: { tag: string; line: number; parts: string[] }[] = [];
  let tags = new Set<string>();
  let gap = false;
  const take = (): TaggedRecord[] => {
    if (fields.length === 0) return [];
    const taken = fields.map(({ tag, line, parts }) => ({ tag, line, value: parts.join('\n').trim() }));
    fields = [];
    tags = new Set();
    chars = 0;
    return [{ fields: taken, line: taken[0]?.line ?? 1 }];
  };
  for await (const { text, number } of lines) {
    if (text.trim() === '' || dialect.separates?.(text) === true) {
      gap = true;
      continue;
    }
    chars += text.length + 1;
    if (chars > MAX_UNIT_CHARS) throw recordTooLong(name, fields[0]?.line ?? 1);
    const field = dialect.field(text);
    if (field === null) {
      fields.at(-1)?.parts.push(text.trim());
    } else {
      const [tag, value] = field;
      if (dialect.begins(tag, tags, gap)) yield* take();
      fields.push({ tag, line: number, parts: [value.trim()] });
      tags.add(tag);
      if (dialect.ends(tag)) yield* take();
    }
    gap = false;
  }
  yield* take();
}

/** The values of a record by tag, in the order in which they stand; empty ones left out. */
export class TaggedValues {
  readonly #fields: readonly TaggedField[];

  constructor(record: TaggedRecord) {
    this.#fields = record.fields.filter(({ value }) => value !== '');
  }

  /** Of all these tags, as the record mixes them. */
  all(...tags: readonly string[]): string[] {
    return this.#fields.filter(({ tag }) => tags.includes(tag)).map(({ value }) => value);
  }

  /** The first value of the first of these tags that has one; '' without. */
  first(...tags: readonly string[]): string {
    for (const tag of tags) {
      const found = this.#fields.find((field) => field.tag === tag);
      if (found !== undefined) return found.value;
    }
    return '';
  }

  /** The lines of all values of the first of these tags that has one, as one text. */
  text(...tags: readonly string[]): string {
    for (const tag of tags) {
      const found = this.all(tag);
      if (found.length > 0) return found.join('\n');
    }
    return '';
  }
}

function recordTooLong(name: string, line: number): FormatError {
  return new FormatError(
    'IMPORT_RECORD_TOO_LONG',
    `${name}, line ${line}: the record that begins here is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million characters.`,
    'Check that the file is an export of references.',
  );
}
