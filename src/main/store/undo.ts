import type { Database, Statement } from 'better-sqlite3';
import { z } from 'zod';
import type { EngramEvents } from '../../shared/contracts/index.ts';
import { InvariantError, UserInputError } from '../../shared/errors/index.ts';
import { json, now, query } from './rows.ts';

/** Which part of the study an edit touches: sent on so that what shows it reloads. */
type EditedPart = EngramEvents['changed']['what'];

/** Tables whose rows a user's edit may change, with their primary keys. */
const TABLES: Readonly<Record<string, string>> = {
  study: 'id',
  setting: 'key',
  decision: 'record_id',
  record: 'id',
  model: 'id',
  training_run: 'id',
  pair_set: 'id',
  pair: 'id',
  sweep: 'id',
  comparison: 'id',
  external_result: 'id',
  report: 'id',
};

/** Steps kept; older ones are forgotten. */
const KEPT_STEPS = 500;

const Cell = z.union([z.string(), z.number(), z.null()]);
const Image = z.record(z.string(), Cell);
type Image = z.infer<typeof Image>;
const StepRow = z.object({ id: z.number(), label: z.string(), what: z.string() });
const ChangeRow = z.object({
  id: z.number(),
  table_name: z.string(),
  before: json(Image).nullable(),
  after: json(Image).nullable(),
});

interface UndoneStep {
  readonly label: string;
  readonly what: EditedPart;
}

/**
 * Undo and redo for every edit of a user, kept in the study. While `edit` runs, triggers on the edited
 * tables write an image of each row before and after; undoing applies the images backwards, and only
 * the columns that the edit changed, so that a job's progress since then stays.
 */
export interface UndoLog {
  /** Runs an edit in one transaction and records it under a label such as `Exclude 3 records`. */
  edit<T>(label: string, what: EditedPart, work: () => T): T;
  history(): { undo: string | null; redo: string | null };
  /** Undoes the newest edit; null when there is none. */
  undo(): UndoneStep | null;
  redo(): UndoneStep | null;
}

export function createUndoLog(db: Database): UndoLog {
  let recording: number | null = null;
  db.function('undo_step_now', { deterministic: false }, () => recording);
  for (const table of Object.keys(TABLES)) createTriggers(db, table);

  const insertStep = db.prepare<[string, string, string]>(
    'INSERT INTO undo_step (label, what, at) VALUES (?, ?, ?)',
  );
  const dropRedo = db.prepare('DELETE FROM undo_step WHERE undone = 1');
  const dropOld = db.prepare<[number]>('DELETE FROM undo_step WHERE id <= ?');
  const dropStep = db.prepare<[number]>('DELETE FROM undo_step WHERE id = ?');
  const setUndone = db.prepare<[number, number]>('UPDATE undo_step SET undone = ? WHERE id = ?');
  const setImages = db.prepare<[string, string, number]>(
    'UPDATE undo_change SET before = ?, after = ? WHERE id = ?',
  );
  const newest = query<[], typeof StepRow>(
    db,
    'SELECT id, label, what FROM undo_step WHERE undone = 0 ORDER BY id DESC LIMIT 1',
    StepRow,
  );
  const nextRedo = query<[], typeof StepRow>(
    db,
    'SELECT id, label, what FROM undo_step WHERE undone = 1 ORDER BY id LIMIT 1',
    StepRow,
  );
  const changes = query<[number], typeof ChangeRow>(
    db,
    'SELECT id, table_name, before, after FROM undo_change WHERE step_id = ? ORDER BY id',
    ChangeRow,
  );
  const recorder = applier(db);

  /** Keeps of each updated row only its key and what changed. Returns whether anything changed at all. */
  const compact = (step: number): boolean => {
    const rows = changes.all(step);
    for (const { id, table_name, before, after } of rows) {
      if (before === null || after === null) continue;
      const key = TABLES[table_name];
      const differs = Object.keys(after).filter((c) => c === key || before[c] !== after[c]);
      const pick = (image: Image) => JSON.stringify(Object.fromEntries(differs.map((c) => [c, image[c]])));
      setImages.run(pick(before), pick(after), id);
    }
    return rows.length > 0;
  };

  const apply = (step: z.infer<typeof StepRow>, backwards: boolean): UndoneStep => {
    db.transaction(() => {
      const rows = changes.all(step.id);
      if (backwards) rows.reverse();
      for (const { table_name, before, after } of rows) {
        recorder(table_name, backwards ? after : before, backwards ? before : after, step.label);
      }
      setUndone.run(backwards ? 1 : 0, step.id);
    }).immediate();
    return { label: step.label, what: step.what as EditedPart };
  };

  return {
    edit: (label, what, work) => {
      if (recording !== null) return work();
      return db
        .transaction(() => {
          const step = Number(insertStep.run(label, what, now()).lastInsertRowid);
          recording = step;
          try {
            const result = work();
            recording = null;
            if (!compact(step)) dropStep.run(step);
            else {
              dropRedo.run();
              dropOld.run(step - KEPT_STEPS);
            }
            return result;
          } finally {
            recording = null;
          }
        })
        .immediate();
    },
    history: () => ({ undo: newest.get()?.label ?? null, redo: nextRedo.get()?.label ?? null }),
    undo: () => {
      const step = newest.get();
      return step === undefined ? null : apply(step, true);
    },
    redo: () => {
      const step = nextRedo.get();
      return step === undefined ? null : apply(step, false);
    },
  };
}

function createTriggers(db: Database, table: string): void {
  const columns = z
    .array(z.object({ name: z.string() }))
    .parse(db.pragma(`table_info(${table})`))
    .map((c) => c.name);
  const image = (row: 'OLD' | 'NEW') =>
    `json_object(${columns.map((c) => `'${c}', ${row}.${c}`).join(', ')})`;
  const events = [
    ['INSERT', 'NULL', image('NEW')],
    ['UPDATE', image('OLD'), image('NEW')],
    ['DELETE', image('OLD'), 'NULL'],
  ] as const;
  for (const [event, before, after] of events) {
    db.exec(`CREATE TEMP TRIGGER undo_${table}_${event.toLowerCase()} AFTER ${event} ON main.${table}
      WHEN undo_step_now() IS NOT NULL
      BEGIN
        INSERT INTO undo_change (step_id, table_name, before, after)
        VALUES (undo_step_now(), '${table}', ${before}, ${after});
      END`);
  }
}

/** Takes one row from one image to the other: insert, update of the changed columns, or delete. */
function applier(db: Database) {
  const prepared = new Map<string, Statement>();
  const statement = (sql: string): Statement => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return (table: string, from: Image | null, to: Image | null, label: string): void => {
    const key = TABLES[table];
    if (key === undefined) throw new InvariantError(`undo log names the table ${table}`);
    try {
      if (to === null) {
        if (from !== null) statement(`DELETE FROM ${table} WHERE ${key} = ?`).run(from[key]);
      } else if (from === null) {
        const columns = Object.keys(to);
        statement(
          `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
        ).run(...Object.values(to));
      } else {
        const columns = Object.keys(to).filter((c) => c !== key);
        if (columns.length === 0) return;
        statement(`UPDATE ${table} SET ${columns.map((c) => `${c} = ?`).join(', ')} WHERE ${key} = ?`).run(
          ...columns.map((c) => to[c]),
          to[key],
        );
      }
    } catch (error) {
      throw new UserInputError(
        'UNDO_IN_USE',
        `"${label}" cannot be undone or redone: something made since then depends on it.`,
        'Remove what depends on it first, or leave it as it is.',
        error,
      );
    }
  };
}
