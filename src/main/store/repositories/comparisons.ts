import { z } from 'zod';
import {
  ComparisonId,
  externalRef,
  ExternalResultId,
  SweepId,
  sweepRef,
  type ResultRef,
} from '../../../shared/domain/index.ts';
import { StoreError } from '../../../shared/errors/index.ts';
import { now, query } from '../rows.ts';
import { type StoreContext, brandId } from './base.ts';

const Row = z.object({
  id: ComparisonId,
  a: SweepId.nullable(),
  b: SweepId.nullable(),
  a_external: ExternalResultId.nullable(),
  b_external: ExternalResultId.nullable(),
  name: z.string(),
  created_at: z.string(),
});
interface SavedComparison {
  readonly id: ComparisonId;
  readonly a: ResultRef;
  readonly b: ResultRef;
  readonly name: string;
  readonly createdAt: string;
}

export interface ComparisonRepository {
  list(): SavedComparison[];
  /** Undoable. */
  save(a: ResultRef, b: ResultRef, name: string): ComparisonId;
  /** To the trash; undoable. */
  remove(id: ComparisonId): void;
  count(): number;
}

export function createComparisonRepository({ db, undo }: StoreContext): ComparisonRepository {
  const selectAll = query<[], typeof Row>(
    db,
    `SELECT id, a, b, a_external, b_external, name, created_at FROM comparison
     WHERE removed_at IS NULL ORDER BY id`,
    Row,
  );
  const insert = db.prepare(
    'INSERT INTO comparison (a, b, a_external, b_external, name, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const of = (ref: ResultRef, kind: ResultRef['kind']): number | null => (ref.kind === kind ? ref.id : null);
  return {
    list: () =>
      selectAll.all().map((row) => ({
        id: row.id,
        a: refOf(row.a, row.a_external),
        b: refOf(row.b, row.b_external),
        name: row.name,
        createdAt: row.created_at,
      })),
    save: (a, b, name) =>
      undo.edit(`Save comparison ${name}`, 'comparisons', () => {
        const sides = [of(a, 'sweep'), of(b, 'sweep'), of(a, 'external'), of(b, 'external')];
        return brandId(ComparisonId, insert.run(...sides, name, now()).lastInsertRowid);
      }),
    remove: (id) =>
      undo.edit('Remove comparison', 'comparisons', () => {
        db.prepare('UPDATE comparison SET removed_at = ? WHERE id = ?').run(now(), id);
      }),
    count: () => Number(db.prepare('SELECT count(*) FROM comparison WHERE removed_at IS NULL').pluck().get()),
  };
}

/** Either a sweep or an external result: the table checks that exactly one is there. */
function refOf(sweep: SweepId | null, external: ExternalResultId | null): ResultRef {
  if (sweep !== null) return sweepRef(sweep);
  if (external !== null) return externalRef(external);
  throw new StoreError(
    'STUDY_DAMAGED',
    'A saved comparison names nothing on one of its sides.',
    'Run `engram verify` on the study and restore it from a copy.',
  );
}
