import { z } from 'zod';
import { ComparisonId, SweepId } from '../../../shared/domain/index.ts';
import { now, query } from '../rows.ts';
import { type StoreContext, brandId } from './base.ts';

const Row = z.object({
  id: ComparisonId,
  a: SweepId,
  b: SweepId,
  name: z.string(),
  createdAt: z.string(),
});
type SavedComparison = z.infer<typeof Row>;

export interface ComparisonRepository {
  list(): SavedComparison[];
  /** Undoable. */
  save(a: SweepId, b: SweepId, name: string): ComparisonId;
  /** To the trash; undoable. */
  remove(id: ComparisonId): void;
  count(): number;
}

export function createComparisonRepository({ db, undo }: StoreContext): ComparisonRepository {
  const selectAll = query<[], typeof Row>(
    db,
    'SELECT id, a, b, name, created_at AS createdAt FROM comparison WHERE removed_at IS NULL ORDER BY id',
    Row,
  );
  const insert = db.prepare('INSERT INTO comparison (a, b, name, created_at) VALUES (?, ?, ?, ?)');
  return {
    list: () => selectAll.all(),
    save: (a, b, name) =>
      undo.edit(`Save comparison ${name}`, 'comparisons', () =>
        brandId(ComparisonId, insert.run(a, b, name, now()).lastInsertRowid),
      ),
    remove: (id) =>
      undo.edit('Remove comparison', 'comparisons', () => {
        db.prepare('UPDATE comparison SET removed_at = ? WHERE id = ?').run(now(), id);
      }),
    count: () => Number(db.prepare('SELECT count(*) FROM comparison WHERE removed_at IS NULL').pluck().get()),
  };
}
