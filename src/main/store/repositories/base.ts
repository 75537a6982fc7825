import type { Database } from 'better-sqlite3';
import type { z } from 'zod';
import { StoreError, UserInputError } from '../../../shared/errors/index.ts';
import type { UndoLog } from '../undo.ts';

/** What a repository is built from. */
export interface StoreContext {
  readonly db: Database;
  readonly undo: UndoLog;
}

/** Throws what a caller should see when something they name is not in the study. */
export function found<T>(value: T | undefined, what: string, id: number): T {
  if (value !== undefined) return value;
  throw new UserInputError(
    'NOT_IN_STUDY',
    `The study has no ${what} with the number ${id}.`,
    `List what it has, and choose a ${what} from there.`,
  );
}

/** A branded id from a row just inserted. */
export function brandId<S extends z.ZodType>(schema: S, id: number | bigint): z.output<S> {
  const parsed = schema.safeParse(Number(id));
  if (parsed.success) return parsed.data;
  throw new StoreError(
    'STUDY_DAMAGED',
    `The study gave a row the number ${id}.`,
    'Run `engram verify` on it.',
  );
}

/** `1 record`, `3 records`. */
export function counted(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}
