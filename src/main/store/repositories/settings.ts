import { z } from 'zod';
import { DEFAULT_TERMS } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { json, query } from '../rows.ts';
import type { StoreContext } from './base.ts';

const StudyRow = z.object({
  uuid: z.string(),
  name: z.string(),
  synthetic: z.number().transform((n) => n !== 0),
  createdAt: z.string(),
});
type StudyMeta = z.infer<typeof StudyRow>;

export interface SettingRepository {
  meta(): StudyMeta;
  /** Undoable. */
  rename(name: string): void;
  get<S extends z.ZodType>(key: string, schema: S): z.output<S> | undefined;
  /** Not undoable: for what the application remembers of a study. */
  set(key: string, value: unknown): void;
  /** The study's term list, in the order of the columns. */
  terms(): string[];
}

const ValueRow = z.object({ value: z.string() });

export function createSettingRepository({ db, undo }: StoreContext): SettingRepository {
  const selectMeta = query<[], typeof StudyRow>(
    db,
    'SELECT uuid, name, synthetic, created_at AS createdAt FROM study WHERE id = 1',
    StudyRow,
  );
  const select = query<[string], typeof ValueRow>(db, 'SELECT value FROM setting WHERE key = ?', ValueRow);
  const upsert = db.prepare(
    'INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const get = <S extends z.ZodType>(key: string, schema: S): z.output<S> | undefined => {
    const row = select.get(key);
    return row === undefined ? undefined : json(schema).parse(row.value);
  };
  return {
    meta: () => {
      const row = selectMeta.get();
      invariant(row !== undefined, 'the study has no row about itself');
      return row;
    },
    rename: (name) =>
      undo.edit(`Rename study to ${name}`, 'study', () => {
        db.prepare('UPDATE study SET name = ? WHERE id = 1').run(name);
      }),
    get,
    set: (key, value) => {
      upsert.run(key, JSON.stringify(value));
    },
    terms: () => get('terms', z.array(z.string())) ?? [...DEFAULT_TERMS],
  };
}
