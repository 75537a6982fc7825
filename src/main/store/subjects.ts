import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { fold } from '../../shared/text/index.ts';
import { json, query } from './rows.ts';

/** What an article is said to be about, and by whom: indexers at the NLM, or its authors. */
export const SUBJECT_KINDS = ['mesh', 'keyword'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Under what a heading or keyword is the same as another: case and accents left aside. */
export function subjectKey(value: string): string {
  return fold(value.trim());
}

interface Subjects {
  readonly mesh: readonly { readonly descriptor: string }[];
  readonly keywords: readonly string[];
}

/** Numbers known without asking; more are forgotten and asked for again. */
const KNOWN = 400_000;
/** Records of one pack where older ones are packed. */
const CHUNK = 1_000;

const Unpacked = z.object({
  id: z.number(),
  mesh: json(z.array(z.object({ descriptor: z.string() }))),
  keywords: json(z.array(z.string())),
});

/** Writes headings and keywords of records, in packs: for each record its id, how many, and their numbers. */
export interface SubjectPacker {
  /** Begins a pack, inside the transaction that stores the records. */
  begin(): void;
  /** Takes a record that was just stored; ids ascend. */
  take(recordId: number, subjects: Subjects): void;
  /** Stores what was taken. */
  store(): void;
  /** Packs records that were stored before there were packs. */
  complete(): void;
}

export function createSubjectPacker(db: Database): SubjectPacker {
  const select = db
    .prepare<[string, string], number>('SELECT id FROM subject WHERE kind = ? AND key = ?')
    .pluck();
  const insert = db.prepare<[string, string, string]>(
    'INSERT INTO subject (kind, key, value) VALUES (?, ?, ?)',
  );
  const insertPack = db.prepare<[number, number, number, Uint8Array]>(
    'INSERT INTO subject_pack (first_id, last_id, n, numbers) VALUES (?, ?, ?, ?)',
  );
  const lastPacked = db.prepare<[], number | null>('SELECT max(last_id) FROM subject_pack').pluck();
  const lastRecord = db.prepare<[], number | null>('SELECT max(id) FROM record').pluck();
  const selectUnpacked = query<[number, number], typeof Unpacked>(
    db,
    `SELECT record_id AS id, json_extract(detail, '$.mesh') AS mesh,
       json_extract(detail, '$.keywords') AS keywords
     FROM record_body WHERE record_id > ? ORDER BY record_id LIMIT ?`,
    Unpacked,
  );

  /** Numbers by kind and spelling. Those given in the batch at hand may be rolled back with it. */
  const known = new Map<string, number>();
  let fresh: { kind: SubjectKind; value: string; id: number }[] = [];
  let pack: number[] = [];
  let complete = false;

  const numberOf = (kind: SubjectKind, value: string): number => {
    const spelt = `${kind} ${value}`;
    const seen = known.get(spelt);
    if (seen !== undefined) return seen;
    const key = subjectKey(value);
    let id = select.get(kind, key);
    if (id === undefined) {
      id = Number(insert.run(kind, key, value.trim()).lastInsertRowid);
      fresh.push({ kind, value, id });
    }
    known.set(spelt, id);
    return id;
  };

  /** Forgets what is too much, and numbers that a rollback took back. */
  const reset = (): void => {
    const last = fresh.at(-1);
    const kept = last === undefined || select.get(last.kind, subjectKey(last.value)) === last.id;
    if (!kept || known.size > KNOWN) known.clear();
    fresh = [];
    pack = [];
  };

  const take = (recordId: number, { mesh, keywords }: Subjects): void => {
    const numbers = new Set<number>();
    for (const { descriptor } of mesh) {
      if (descriptor.trim() !== '') numbers.add(numberOf('mesh', descriptor));
    }
    for (const keyword of keywords) if (keyword.trim() !== '') numbers.add(numberOf('keyword', keyword));
    pack.push(recordId, numbers.size, ...numbers);
  };

  const store = (): void => {
    const [first] = pack;
    if (first === undefined) return;
    const packed = Uint32Array.from(pack);
    let last = first;
    let n = 0;
    for (const [id, numbers] of unpacked(packed)) {
      last = id;
      n += numbers.length;
    }
    insertPack.run(first, last, n, new Uint8Array(packed.buffer));
    pack = [];
  };

  const packOlder = (): void => {
    if (complete) return;
    for (let after = lastPacked.get() ?? 0; after < (lastRecord.get() ?? 0);) {
      const rows = selectUnpacked.all(after, CHUNK);
      const last = rows.at(-1);
      if (last === undefined) break;
      db.transaction(() => {
        reset();
        for (const { id, ...subjects } of rows) take(id, subjects);
        store();
      })();
      after = last.id;
    }
    complete = !db.inTransaction;
  };

  return {
    begin: () => {
      packOlder();
      reset();
    },
    take,
    store,
    complete: packOlder,
  };
}

/** The records of a pack, each with the numbers of its headings and keywords. */
export function* unpacked(pack: Uint32Array): Generator<readonly [id: number, numbers: Uint32Array]> {
  for (let at = 0; at + 1 < pack.length;) {
    const end = at + 2 + (pack[at + 1] ?? 0);
    yield [pack[at] ?? 0, pack.subarray(at + 2, end)];
    at = end;
  }
}
