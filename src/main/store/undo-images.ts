import type { Database, Statement } from 'better-sqlite3';
import { z } from 'zod';
import { InvariantError, UserInputError } from '../../shared/errors/index.ts';

/** The table whose changes may be applied again after an interruption: its rows belong to records, which stay. */
export const REPEATABLE = 'decision';

/** A row as the triggers write it: by column. */
export type Image = Readonly<Record<string, string | number | null>>;
/** The row that a trigger wrote. */
export function imageOf(text: string): Image {
  return JSON.parse(text) as Image; // json_object of a row of a STRICT table, by the triggers
}

/** Has every change of a table written as images of its rows, while `undo_step_now()` names a step. */
export function createImageTriggers(db: Database, table: string): void {
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

/** `tables`: primary keys by table. Takes one row from one image to the other: insert, update of the changed columns, or delete. */
export function imageApplier(db: Database, tables: Readonly<Record<string, string>>) {
  const prepared = new Map<string, Statement>();
  const statement = (sql: string): Statement => {
    const known = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return (table: string, from: Image | null, to: Image | null, label: string): void => {
    const key = tables[table];
    if (key === undefined) throw new InvariantError(`undo log names the table ${table}`);
    try {
      if (to === null) {
        if (from !== null) statement(`DELETE FROM ${table} WHERE ${key} = ?`).run(from[key]);
      } else if (from === null) {
        const columns = Object.keys(to);
        const again =
          table === REPEATABLE
            ? ` ON CONFLICT (${key}) DO UPDATE SET ${columns.map((c) => `${c} = excluded.${c}`).join(', ')}`
            : '';
        statement(
          `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})${again}`,
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
