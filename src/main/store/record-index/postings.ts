import type { Database } from 'better-sqlite3';

/**
 * Reads which records have a word straight from the segments of the full-text index (the tables `…_data` and `…_idx`
 * of SQLite's FTS5, whose layout is the comment at the head of its `fts5_index.c`). Asking it with MATCH takes 35 to 60
 * ns for each record found and as much again to hand the ids over, which for a frequent word among a million records
 * is a tenth of a second; read here it takes some 5 ns.
 *
 * Only what this code knows to be plain is read: anything else (deleted rows, another version of the layout, writes
 * not committed yet) gives null, and is for MATCH to answer.
 */
export interface Postings {
  /** 1 by record id, up to `size`, where a word (or one that begins so) occurs; null where it cannot be told. */
  marks(word: string, prefix: boolean, size: number): Uint8Array | null;
}

interface Segment {
  readonly id: number;
  readonly first: number;
  readonly last: number;
}

/** Row of `…_data` that lists the segments; the first page of a segment is at its number times 2³⁷. */
const STRUCTURE_ROW = 10;
const SEGMENT_STRIDE = 2 ** 37;
/** Layout with the columns that a contentless table with deletion has. */
const VERSION_2 = [0xff, 0x00, 0x00, 0x01];
/** What words of the index itself begin with; its prefix indices, of which there are none here, have other bytes. */
const MAIN = 0x30;
/** Pages read at once. */
const CHUNK = 64;
/** Words whose marks are kept: what is searched for next mostly differs in one of them. */
const KEPT = 16;

class Unknown extends Error {}

/** A cursor over bytes with SQLite's variable-length whole numbers: seven bits a byte, the highest first. */
class Bytes {
  readonly data: Uint8Array;
  at: number;

  constructor(data: Uint8Array, at = 0) {
    this.data = data;
    this.at = at;
  }

  number(): number {
    let value = 0;
    for (let i = 0; i < 8; i++) {
      const byte = this.data[this.at++];
      if (byte === undefined) throw new Unknown('a number is cut short');
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    throw new Unknown('a number is too large');
  }

  short(at: number): number {
    return ((this.data[at] ?? 0) << 8) | (this.data[at + 1] ?? 0);
  }
}

export function createPostings(db: Database, table: string): Postings {
  const selectStructure = db
    .prepare<[number], Uint8Array>(`SELECT block FROM ${table}_data WHERE id = ?`)
    .pluck();
  const selectPages = db
    .prepare<[number, number], Uint8Array>(
      `SELECT block FROM ${table}_data WHERE id BETWEEN ? AND ? ORDER BY id`,
    )
    .pluck();
  const selectPage = db
    .prepare<[number, Uint8Array], number>(
      `SELECT pgno FROM ${table}_idx WHERE segid = ? AND term <= ? ORDER BY term DESC LIMIT 1`,
    )
    .pluck();

  function* pages({ id, first, last }: Segment, from: number): Generator<Uint8Array> {
    for (let page = Math.max(first, from), n = 2; page <= last; page += n, n = CHUNK) {
      const base = id * SEGMENT_STRIDE;
      yield* selectPages.all(base + page, base + Math.min(last, page + n - 1));
    }
  }

  /** Marks the records of all words of a segment that are `wanted`, or begin so. */
  const mark = (segment: Segment, wanted: Uint8Array, prefix: boolean, marks: Uint8Array): void => {
    const from = (selectPage.get(segment.id, wanted) ?? 0) >> 1;
    let word = new Uint8Array(256);
    let going = false;
    for (const data of pages(segment, from)) {
      const bytes = new Bytes(data);
      const [firstRow, end] = [bytes.short(0), bytes.short(2)];
      const starts = wordStarts(data, end);
      if (going && firstRow !== 0) markRows(data, firstRow, starts[0] ?? end, marks);
      for (const [i, start] of starts.entries()) {
        bytes.at = start;
        const kept = i === 0 ? 0 : bytes.number();
        const length = bytes.number();
        if (kept + length > word.length) {
          const longer = new Uint8Array(2 * (kept + length));
          longer.set(word.subarray(0, kept));
          word = longer;
        }
        word.set(data.subarray(bytes.at, bytes.at + length), kept);
        const order = compare(word.subarray(0, kept + length), wanted, prefix);
        if (order > 0) return;
        going = order === 0;
        if (going) markRows(data, bytes.at + length, starts[i + 1] ?? end, marks);
      }
    }
  };

  let version = '';
  const kept = new Map<string, Uint8Array>();

  return {
    marks: (word, prefix, size) => {
      // What this transaction wrote is not in the segments yet.
      if (db.inTransaction) return null;
      const structure = selectStructure.get(STRUCTURE_ROW);
      const segments = structure === undefined ? null : segmentsOf(structure);
      if (structure === undefined || segments === null) return null;
      const now = `${size} ${Buffer.from(structure).toString('base64')}`;
      if (now !== version) kept.clear();
      version = now;
      const key = `${word}${prefix ? '*' : ''}`;
      let marks = kept.get(key);
      if (marks === undefined) {
        marks = new Uint8Array(size);
        const wanted = Uint8Array.from([MAIN, ...new TextEncoder().encode(word)]);
        try {
          for (const segment of segments) mark(segment, wanted, prefix, marks);
        } catch (error) {
          if (error instanceof Unknown) return null;
          throw error;
        }
      }
      kept.delete(key);
      kept.set(key, marks);
      const [oldest] = kept.keys();
      if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
      return marks;
    },
  };
}

/** The segments of an index; null when its layout is another or rows were deleted from it. */
function segmentsOf(structure: Uint8Array): Segment[] | null {
  // Four bytes that change with every write come first.
  if (VERSION_2.some((byte, i) => structure[4 + i] !== byte)) return null;
  const bytes = new Bytes(structure, 8);
  const segments: Segment[] = [];
  const levels = bytes.number();
  const total = bytes.number();
  bytes.number();
  for (let level = 0; level < levels; level++) {
    bytes.number();
    for (let n = bytes.number(); n > 0; n--) {
      const [id, first, last] = [bytes.number(), bytes.number(), bytes.number()];
      const [, , tombstones] = [
        bytes.number(),
        bytes.number(),
        bytes.number(),
        bytes.number(),
        bytes.number(),
      ];
      if (tombstones !== 0) return null;
      segments.push({ id, first, last });
    }
  }
  return segments.length === total ? segments : null;
}

/** Where words begin on a page: behind its content the place of the first, then how far each is from the one before. */
function wordStarts(page: Uint8Array, end: number): number[] {
  const bytes = new Bytes(page, end);
  const starts: number[] = [];
  let start = 0;
  while (bytes.at < page.length) {
    start += bytes.number();
    starts.push(start);
  }
  return starts;
}

/** Below 0 when a word stands before what is wanted, above when behind, 0 when it is that (or begins so). */
function compare(word: Uint8Array, wanted: Uint8Array, prefix: boolean): number {
  for (let i = 0; i < wanted.length; i++) {
    const difference = (word[i] ?? -1) - (wanted[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return prefix ? 0 : word.length - wanted.length;
}

/**
 * Marks rows from `at` to `end` of a page: the id of the first and how far each is from the one before, and after each
 * the length of its places in the text, doubled, and those places. They may go on beyond the page.
 */
function markRows(page: Uint8Array, at: number, end: number, marks: Uint8Array): void {
  let row = 0;
  while (at < end) {
    let byte = page[at++] ?? 0;
    let value = byte & 0x7f;
    while (byte >= 0x80) {
      byte = page[at++] ?? 0;
      value = value * 128 + (byte & 0x7f);
    }
    row += value;
    byte = page[at++] ?? 0;
    let size = byte & 0x7f;
    while (byte >= 0x80) {
      byte = page[at++] ?? 0;
      size = size * 128 + (byte & 0x7f);
    }
    // An odd length marks a row as deleted.
    if ((size & 1) === 1) throw new Unknown('a row is deleted');
    at += size >>> 1;
    marks[row] = 1;
  }
}
