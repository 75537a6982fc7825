import type { Decision, RecordId } from '../../../shared/domain/index.ts';
import { now } from '../rows.ts';
import { type StoreContext, counted } from './base.ts';

export interface DecisionRepository {
  /** Decides on records as one edit; undoable. Returns how many changed. A reason goes with `exclude` only. */
  decide(ids: readonly RecordId[], decision: Decision, reason: string | null): number;
  /** Undoable. */
  setNote(id: RecordId, note: string): void;
}

const VERBS: Readonly<Record<Decision, string>> = {
  include: 'Include',
  exclude: 'Exclude',
  maybe: 'Mark as maybe',
  undecided: 'Clear the decision on',
};

export function createDecisionRepository({ db, undo }: StoreContext): DecisionRepository {
  const upsert = db.prepare<[string, string | null, string, number]>(
    `INSERT INTO decision (record_id, decision, reason, decided_at)
     SELECT r.id, ?, ?, ? FROM record r WHERE r.id = ?
     ON CONFLICT (record_id) DO UPDATE
       SET decision = excluded.decision, reason = excluded.reason, decided_at = excluded.decided_at
       WHERE decision <> excluded.decision OR reason IS NOT excluded.reason`,
  );
  const upsertNote = db.prepare<[string, string, number]>(
    `INSERT INTO decision (record_id, decision, note, decided_at)
     SELECT r.id, 'undecided', ?, ? FROM record r WHERE r.id = ?
     ON CONFLICT (record_id) DO UPDATE SET note = excluded.note`,
  );
  return {
    decide: (ids, decision, reason) => {
      const kept = decision === 'exclude' ? reason : null;
      const label = `${VERBS[decision]} ${counted(ids.length, 'record')}${kept === null ? '' : ` (${kept})`}`;
      return undo.edit(label, 'records', () => {
        const at = now();
        let changed = 0;
        for (const id of ids) changed += upsert.run(decision, kept, at, id).changes;
        return changed;
      });
    },
    setNote: (id, note) => {
      undo.edit('Edit note', 'records', () => {
        upsertNote.run(note, now(), id);
      });
    },
  };
}
