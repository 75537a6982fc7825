import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { type ImportedRecord, RecordFlag } from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import { found } from './base.ts';

/** A record with what tells copies of it: identity keys, strongest first, and the hash of all it says. */
export interface NewRecord {
  readonly record: ImportedRecord;
  readonly keys: { readonly pmid: string | null; readonly doi: string | null; readonly text: string | null };
  readonly contentHash: string;
}

/** Negative when `a` stands for both copies, positive when `b` does, 0 when nothing tells. */
export type CompareCopies = (a: CopyFacts, b: CopyFacts) => number;
type CopyFacts = Pick<ImportedRecord, 'version' | 'year' | 'abstract' | 'revised'>;

/** Reasons written without being asked, and the flags that cause them. A user's decision replaces them. */
const AUTOMATIC_REASONS: readonly (readonly [z.infer<typeof RecordFlag>, string])[] = [
  ['retracted', 'Retracted'],
  ['retraction-notice', 'Retraction notice'],
];
/** What holds for all copies of an article once one of them says it. */
const SHARED_FLAGS: readonly z.infer<typeof RecordFlag>[] = ['retracted', 'retraction-notice', 'concern'];

const FactsRow = z.object({
  id: z.number(),
  version: z.number(),
  year: z.number().nullable(),
  abstract: z.string(),
  revised: z
    .string()
    .nullable()
    .transform((day) => day ?? undefined),
  flags: json(z.array(RecordFlag)),
});

type Flags = readonly z.infer<typeof RecordFlag>[];

/** Groups of copies: who belongs to which, who stands for it, and what holds for all. */
export interface CopyGroups {
  /** The groups that a record belongs to by any of its keys, the one of the strongest key first. */
  of(item: NewRecord): number[];
  /** Makes one group of several, with the best of what stands for them; that one's id. */
  merged(groups: readonly [number, ...number[]], compare: CompareCopies): number;
  /** Whether a record not stored yet is to stand for a group. */
  isBetter(item: NewRecord, group: number, compare: CompareCopies): boolean;
  /** Lets a record stand for another's group, with the decision on it and what must not be forgotten. */
  standFor(id: number, group: number): void;
  /** Notes flags of a copy that hold for what stands for it. */
  shareFlags(id: number, flags: Flags): void;
  /** Excludes a record for what its flags say, unless somebody decided on it. */
  excludeFlagged(id: number, flags: Flags): void;
  /** Excludes a record for a reason, unless somebody decided on it. Returns whether it did. */
  exclude(id: number, reason: string): boolean;
  leave(id: number): void;
}

export function createCopyGroups(db: Database): CopyGroups {
  const groupBy = (column: string) =>
    db
      .prepare<[string], number>(
        `SELECT coalesce(duplicate_of, id) FROM record WHERE ${column} = ? ORDER BY id LIMIT 1`,
      )
      .pluck();
  const lookups = { pmid: groupBy('pmid'), doi: groupBy('doi_key'), text: groupBy('text_key') };
  const selectFacts = query<[number], typeof FactsRow>(
    db,
    `SELECT r.id, r.version, r.year, b.abstract, json_extract(b.detail, '$.revised') AS revised, r.flags
     FROM record r JOIN record_body b ON b.record_id = r.id
     WHERE r.id = ?`,
    FactsRow,
  );
  const decideByDefault = db.prepare<[string, string, number]>(
    `INSERT INTO decision (record_id, decision, reason, decided_at) SELECT id, 'exclude', ?, ? FROM record
     WHERE id = ? ON CONFLICT DO NOTHING`,
  );
  const regroup = db.prepare<[number, number, number, number]>(
    'UPDATE record SET duplicate_of = ? WHERE (id = ? OR duplicate_of = ?) AND id <> ?',
  );
  const inheritDecision = db.prepare<[number, number]>(
    `INSERT INTO decision (record_id, decision, reason, note, decided_at)
     SELECT ?, decision, reason, note, decided_at FROM decision WHERE record_id = ? ON CONFLICT DO NOTHING`,
  );
  const setFlags = db.prepare<[string, number]>('UPDATE record SET flags = ? WHERE id = ?');
  const leaveGroup = db.prepare<[number]>('UPDATE record SET duplicate_of = NULL WHERE id = ?');

  const groupsOf = ({ keys }: NewRecord): number[] => {
    const found = (['pmid', 'doi', 'text'] as const).map((key) => {
      const value = keys[key];
      return value === null ? undefined : lookups[key].get(value);
    });
    return [...new Set(found.filter((group) => group !== undefined))];
  };

  const exclude = (id: number, reason: string): boolean => decideByDefault.run(reason, now(), id).changes > 0;

  const factsOf = (id: number) => found(selectFacts.get(id), 'record', id);

  const merged = (groups: readonly [number, ...number[]], compare: CompareCopies): number =>
    groups.reduce((standing, other) => {
      const [kept, left] =
        compare(factsOf(other), factsOf(standing)) < 0 ? [other, standing] : [standing, other];
      standFor(kept, left);
      return kept;
    });

  const standFor = (id: number, group: number): void => {
    regroup.run(id, group, group, id);
    inheritDecision.run(id, group);
    shareFlags(id, factsOf(group).flags);
  };

  const shareFlags = (id: number, flags: Flags): void => {
    const own = factsOf(id).flags;
    const missing = flags.filter((flag) => SHARED_FLAGS.includes(flag) && !own.includes(flag));
    if (missing.length === 0) return;
    setFlags.run(JSON.stringify([...missing, ...own]), id);
    excludeFlagged(id, missing);
  };

  const excludeFlagged = (id: number, flags: Flags): void => {
    for (const [flag, reason] of AUTOMATIC_REASONS) {
      if (flags.includes(flag)) exclude(id, reason);
    }
  };

  return {
    of: groupsOf,
    merged,
    isBetter: ({ record }, group, compare) => compare(record, factsOf(group)) < 0,
    standFor,
    shareFlags,
    excludeFlagged,
    exclude,
    leave: (id) => {
      leaveGroup.run(id);
    },
  };
}
