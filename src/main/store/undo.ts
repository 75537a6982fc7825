import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import type { EngramEvents } from '../../shared/contracts/index.ts';
import { now, query } from './rows.ts';
import { atOnce, type Steps } from './steps.ts';
import { createImageTriggers, type Image, imageApplier, imageOf, REPEATABLE } from './undo-images.ts';

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

/** Changes undone between two pauses, where an edit may be undone in parts. */
const PART = 2_000;
const NO_LIMIT = -1;
const StepRow = z.object({ id: z.number(), label: z.string(), what: z.string() });
interface ChangeRow<Text = string | null> {
  readonly id: number;
  readonly table_name: string;
  readonly before: Text;
  readonly after: Text;
}

/** A step being recorded, and the last change in it. */
interface Recorded {
  readonly step: number;
  readonly last: number;
}

/** A step that is being undone or redone: how far it is, by the number of its last change. */
interface Undoing {
  readonly step: z.infer<typeof StepRow>;
  readonly backwards: boolean;
  readonly most: number;
  at: number;
}

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
  /**
   * An edit of many rows in parts, each a transaction of its own, between which others may use the study. All parts
   * are one step to undo, unless something else was edited or undone between two of them.
   */
  parts(label: string, what: EditedPart): <T>(work: () => T) => T;
  history(): { undo: string | null; redo: string | null };
  /** Undoes the newest edit; null when there is none. */
  undo(): UndoneStep | null;
  redo(): UndoneStep | null;
  /**
   * The same in steps. One that decided on very many records takes several;
   * an edit made meanwhile first waits for the rest, and one broken off by the end of the process can be undone anew.
   */
  undoSteps(): Steps<UndoneStep | null>;
  redoSteps(): Steps<UndoneStep | null>;
}

export function createUndoLog(db: Database): UndoLog {
  let recording: number | null = null;
  db.function('undo_step_now', { deterministic: false }, () => recording);
  for (const table of Object.keys(TABLES)) createImageTriggers(db, table);

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
  const CHANGES = 'SELECT id, table_name, before, after FROM undo_change WHERE step_id = ?';
  const changesBack = db.prepare<[number, number, number], ChangeRow>(
    `${CHANGES} AND id < ? ORDER BY id DESC LIMIT ?`,
  );
  const changesForth = db.prepare<[number, number, number], ChangeRow>(
    `${CHANGES} AND id > ? ORDER BY id LIMIT ?`,
  );
  const countChanges = db.prepare<[number], { total: number; repeatable: number }>(
    `SELECT count(*) AS total, coalesce(sum(table_name = '${REPEATABLE}'), 0) AS repeatable
     FROM undo_change WHERE step_id = ?`,
  );
  const updates = db.prepare<[number, number], ChangeRow<string>>(
    `SELECT id, table_name, before, after FROM undo_change
     WHERE step_id = ? AND id > ? AND before IS NOT NULL AND after IS NOT NULL ORDER BY id`,
  );
  const lastChange = db
    .prepare<[number], number | null>('SELECT max(id) FROM undo_change WHERE step_id = ?')
    .pluck();
  const recorder = imageApplier(db, TABLES);

  /** Keeps of each updated row only its key and what changed. Returns the last change, undefined when there is none. */
  const compact = (step: number, after: number): number | undefined => {
    for (const { id, table_name, ...texts } of updates.all(step, after)) {
      const [before, image] = [imageOf(texts.before), imageOf(texts.after)];
      const key = TABLES[table_name];
      const differs = Object.keys(image).filter((c) => c === key || before[c] !== image[c]);
      const pick = (row: Image) => JSON.stringify(Object.fromEntries(differs.map((c) => [c, row[c]])));
      setImages.run(pick(before), pick(image), id);
    }
    return lastChange.get(step) ?? undefined;
  };

  /** Runs work and records it in a step, or in a new one. Returns the step with its last change, null where nothing changed. */
  const record = <T>(
    label: string,
    what: EditedPart,
    known: Recorded | null,
    work: () => T,
  ): { result: T; recorded: Recorded | null } => {
    settle();
    return db
      .transaction(() => {
        const step = known?.step ?? Number(insertStep.run(label, what, now()).lastInsertRowid);
        recording = step;
        try {
          const result = work();
          recording = null;
          const last = compact(step, known?.last ?? 0);
          if (last === undefined) dropStep.run(step);
          else {
            dropRedo.run();
            dropOld.run(step - KEPT_STEPS);
          }
          return { result, recorded: last === undefined ? null : { step, last } };
        } finally {
          recording = null;
        }
      })
      .immediate();
  };

  let begun: Undoing | null = null;

  /** Undoes or redoes some more of what was begun, and with the last of it the step. */
  const applySome = (work: Undoing): void => {
    const { step, backwards, most } = work;
    db.transaction(() => {
      const rows = (backwards ? changesBack : changesForth).all(step.id, work.at, most);
      for (const { table_name, ...texts } of rows) {
        const before = texts.before === null ? null : imageOf(texts.before);
        const after = texts.after === null ? null : imageOf(texts.after);
        recorder(table_name, backwards ? after : before, backwards ? before : after, step.label);
      }
      const more = rows.length === most;
      if (!more) setUndone.run(backwards ? 1 : 0, step.id);
      work.at = rows.at(-1)?.id ?? work.at;
      if (!more) begun = null;
    }).immediate();
  };

  /** Brings to its end what was begun before anything else is edited. */
  const settle = (): void => {
    while (begun !== null) applySome(begun);
  };

  function* apply(step: z.infer<typeof StepRow> | undefined, backwards: boolean): Steps<UndoneStep | null> {
    if (step === undefined) return null;
    const { total, repeatable } = countChanges.get(step.id) ?? { total: 0, repeatable: 0 };
    const most = total > PART && total === repeatable ? PART : NO_LIMIT;
    const work: Undoing = { step, backwards, most, at: backwards ? Number.MAX_SAFE_INTEGER : 0 };
    begun = work;
    try {
      for (let done = PART; ; done += PART) {
        applySome(work);
        if (stillBegun(work))
          yield { done: Math.min(done, total), total, doing: backwards ? 'undoing' : 'redoing' };
        if (!stillBegun(work)) return { label: step.label, what: step.what as EditedPart };
      }
    } catch (error) {
      if (most === NO_LIMIT) begun = null;
      throw error;
    }
  }
  const stillBegun = (work: Undoing): boolean => begun === work;

  const undoSteps = (): Steps<UndoneStep | null> => {
    settle();
    return apply(newest.get(), true);
  };
  const redoSteps = (): Steps<UndoneStep | null> => {
    settle();
    return apply(nextRedo.get(), false);
  };

  return {
    edit: (label, what, work) => (recording === null ? record(label, what, null, work).result : work()),
    parts: (label, what) => {
      let known: Recorded | null = null;
      return (work) => {
        if (known !== null && newest.get()?.id !== known.step) known = null;
        const { result, recorded } = record(label, what, known, work);
        known = recorded;
        return result;
      };
    },
    history: () => ({ undo: newest.get()?.label ?? null, redo: nextRedo.get()?.label ?? null }),
    undo: () => atOnce(undoSteps()),
    redo: () => atOnce(redoSteps()),
    undoSteps,
    redoSteps,
  };
}
