import type { Decision, RecordId } from '../../../shared/domain/index.ts';
import { now } from '../rows.ts';
import type { Steps } from '../steps.ts';
import { type StoreContext, counted } from './base.ts';

export interface DecisionRepository {
  /** Decides on records as one edit; undoable. Returns how many changed. A reason goes with `exclude` only. */
  decide(ids: readonly RecordId[], decision: Decision, reason: string | null): number;
  /** The same in steps, as many as it takes; what was decided when it is ended half way stays, and is undone as one. */
  decideSteps(ids: Uint32Array, decision: Decision, reason: string | null): Steps<number>;
  /** Undoable. */
  setNote(id: RecordId, note: string): void;
}

/** Records decided on between two pauses. */
const CHUNK = 1_000;

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
  const labelOf = (n: number, decision: Decision, reason: string | null): string =>
    `${VERBS[decision]} ${counted(n, 'record')}${reason === null ? '' : ` (${reason})`}`;
  const keptReason = (decision: Decision, reason: string | null) => (decision === 'exclude' ? reason : null);
  const apply = (ids: Iterable<number>, decision: Decision, reason: string | null): number => {
    const at = now();
    let changed = 0;
    for (const id of ids) changed += upsert.run(decision, reason, at, id).changes;
    return changed;
  };
  return {
    decide: (ids, decision, given) => {
      const reason = keptReason(decision, given);
      return undo.edit(labelOf(ids.length, decision, reason), 'records', () => apply(ids, decision, reason));
    },
    decideSteps: function* (ids, decision, given) {
      const reason = keptReason(decision, given);
      const part = undo.parts(labelOf(ids.length, decision, reason), 'records');
      let changed = 0;
      for (let at = 0; at < ids.length; at += CHUNK) {
        changed += part(() => apply(ids.subarray(at, at + CHUNK), decision, reason));
        yield { done: Math.min(at + CHUNK, ids.length), total: ids.length, doing: 'deciding' };
      }
      return changed;
    },
    setNote: (id, note) => {
      undo.edit('Edit note', 'records', () => {
        upsertNote.run(note, now(), id);
      });
    },
  };
}
