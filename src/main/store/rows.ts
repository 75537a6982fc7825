import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { StoreError } from '../../shared/errors/index.ts';

/** A TEXT column that holds JSON of a given shape. */
export function json<S extends z.ZodType>(schema: S) {
  return z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** An INTEGER column that holds 0 or 1. */
export const flag = z.number().transform((n) => n !== 0);

/** A prepared query whose rows are checked on their way out of the database. */
export interface Query<P extends unknown[], R> {
  get(...params: P): R | undefined;
  all(...params: P): R[];
}

/** Prepares a query. A row that does not fit its schema is a StoreError `STUDY_DAMAGED`. */
export function query<P extends unknown[], S extends z.ZodType>(
  db: Database,
  sql: string,
  schema: S,
): Query<P, z.output<S>> {
  const statement = db.prepare<P>(sql);
  return {
    get: (...params) => {
      const row = statement.get(...params);
      return row === undefined ? undefined : parseRow(schema, row, sql);
    },
    all: (...params) => statement.all(...params).map((row) => parseRow(schema, row, sql)),
  };
}

function parseRow<S extends z.ZodType>(schema: S, row: unknown, sql: string): z.output<S> {
  const parsed = schema.safeParse(row);
  if (parsed.success) return parsed.data;
  const table = /\b(?:FROM|INTO|UPDATE)\s+(\w+)/i.exec(sql)?.[1] ?? 'a table';
  throw new StoreError(
    'STUDY_DAMAGED',
    `A row of ${table} in the study is not as it should be: ${z.prettifyError(parsed.error)}.`,
    'Run `engram verify` on the study and restore it from a copy.',
  );
}

/** ISO 8601 in UTC. */
export function now(): string {
  return new Date().toISOString();
}
