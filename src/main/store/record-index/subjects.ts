import type { Database } from 'better-sqlite3';
import { type SubjectKind, subjectKey, unpacked } from '../subjects.ts';
import { idsFrom } from './lists.ts';

/** Headings and keywords of all records as numbers, record after record; about 4 bytes each. */
export interface SubjectColumns {
  /** Records are known up to this id, exclusive. */
  readonly size: number;
  /** By id: where its numbers begin in `numbers`; they end where those of the next id begin. */
  readonly starts: Uint32Array;
  readonly numbers: Uint32Array;
  /** By number: 1 for a MeSH heading, 0 for a keyword. */
  readonly mesh: Uint8Array;
}

export const NO_SUBJECTS: SubjectColumns = {
  size: 0,
  starts: new Uint32Array(1),
  numbers: new Uint32Array(),
  mesh: new Uint8Array(),
};

/** What is known with the records from `known.size` on read from their packs; ids are below `size`. */
export function loadSubjects(db: Database, size: number, known: SubjectColumns): SubjectColumns {
  const sum = db
    .prepare<[number], number>('SELECT coalesce(sum(n), 0) FROM subject_pack WHERE last_id >= ?')
    .pluck();
  const packs = db
    .prepare<[number], Uint8Array>('SELECT numbers FROM subject_pack WHERE last_id >= ? ORDER BY first_id')
    .pluck();
  const before = known.starts[known.size] ?? 0;
  const numbers = new Uint32Array(before + (sum.get(known.size) ?? 0));
  numbers.set(known.numbers.subarray(0, before));
  const starts = new Uint32Array(size + 1);
  starts.set(known.starts.subarray(0, known.size + 1));
  let at = before;
  let next = known.size;
  for (const blob of packs.iterate(known.size)) {
    // Copied, for numbers must lie at a multiple of four bytes.
    for (const [id, own] of unpacked(new Uint32Array(blob.slice().buffer))) {
      if (id < next || id >= size) continue;
      while (next <= id) starts[next++] = at;
      numbers.set(own, at);
      at += own.length;
    }
  }
  while (next <= size) starts[next++] = at;
  return { size, starts, numbers: numbers.subarray(0, at), mesh: loadKinds(db) };
}

function loadKinds(db: Database): Uint8Array {
  const last = db.prepare<[], number | null>('SELECT max(id) FROM subject').pluck().get() ?? 0;
  const ids = db
    .prepare<[], string>("SELECT json_group_array(id) FROM subject WHERE kind = 'mesh'")
    .pluck()
    .get();
  const mesh = new Uint8Array(last + 1);
  for (const id of idsFrom(ids ?? '[]')) mesh[id] = 1;
  return mesh;
}

/** The numbers of values of one kind, as far as any record has them. */
export function subjectNumbers(db: Database, kind: SubjectKind, values: readonly string[]): Uint32Array {
  const select = db
    .prepare<[string, string], number>('SELECT id FROM subject WHERE kind = ? AND key = ?')
    .pluck();
  return Uint32Array.from(
    values.map((value) => select.get(kind, subjectKey(value))).filter((id) => id !== undefined),
  );
}

/** 1 by id for the records that have any of some numbers. */
export function recordsWith({ size, starts, numbers, mesh }: SubjectColumns, any: Uint32Array): Uint8Array {
  const wanted = new Uint8Array(mesh.length);
  for (const number of any) wanted[number] = 1;
  const found = new Uint8Array(size);
  let id = 0;
  for (let at = 0; at < numbers.length; at++) {
    if (wanted[numbers[at] ?? 0] !== 1) continue;
    while ((starts[id + 1] ?? Infinity) <= at) id++;
    found[id] = 1;
  }
  return found;
}

/** The numbers of one kind with the highest counts, at most `most` and none of 0, and besides them `also`. */
export function mostFrequent(
  { mesh }: SubjectColumns,
  counts: Uint32Array,
  kind: SubjectKind,
  most: number,
  also: Uint32Array,
): Set<number> {
  const flag = kind === 'mesh' ? 1 : 0;
  const best: number[] = [];
  let least = 0;
  for (let number = 1; number < counts.length; number++) {
    const count = counts[number] ?? 0;
    if (count <= least || mesh[number] !== flag) continue;
    let place = best.length;
    while (place > 0 && (counts[best[place - 1] ?? 0] ?? 0) < count) place--;
    best.splice(place, 0, number);
    if (best.length > most) best.pop();
    if (best.length === most) least = counts[best[most - 1] ?? 0] ?? 0;
  }
  return new Set([...best, ...also]);
}
