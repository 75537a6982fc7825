import type { Database } from 'better-sqlite3';

/** What changed in the tables that the index reads, since it was last asked. */
export interface Changes {
  /** All is to be read anew: nothing is known yet, or records went. */
  records: boolean;
  /** The smallest id of the records that came; null when none did. */
  added: number | null;
  flags: boolean;
  readonly decisions: Set<number>;
  readonly copies: Set<number>;
}

/** One row a trigger: a table, an event, and which change it is. */
const TRIGGERS = [
  ['record', 'INSERT', 'NEW.id', 'added'],
  ['record', 'DELETE', 'OLD.id', 'records'],
  ['record', 'UPDATE OF duplicate_of', 'NEW.id', 'copies'],
  ['record', 'UPDATE OF flags', 'NEW.id', 'flags'],
  ['decision', 'INSERT', 'NEW.record_id', 'decisions'],
  ['decision', 'UPDATE', 'NEW.record_id', 'decisions'],
  ['decision', 'DELETE', 'OLD.record_id', 'decisions'],
] as const;

/** Has every write of this connection noted; a study has one. What a rollback took back is read again in vain. */
export function watchChanges(db: Database): Changes {
  const changes: Changes = {
    records: true,
    added: null,
    flags: true,
    decisions: new Set(),
    copies: new Set(),
  };
  const note: Readonly<Record<string, (id: number) => void>> = {
    records: () => (changes.records = true),
    added: (id) => (changes.added = Math.min(changes.added ?? id, id)),
    flags: () => (changes.flags = true),
    decisions: (id) => changes.decisions.add(id),
    copies: (id) => changes.copies.add(id),
  };
  db.function('record_index_note', { deterministic: false }, (what: string, id: number) => {
    note[what]?.(id);
    return null;
  });
  for (const [index, [table, event, id, what]] of TRIGGERS.entries()) {
    db.exec(`CREATE TEMP TRIGGER record_index_${index} AFTER ${event} ON main.${table}
      BEGIN SELECT record_index_note('${what}', ${id}); END`);
  }
  return changes;
}
