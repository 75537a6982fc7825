import { z } from 'zod';
import { ExternalContent, ExternalResultId, type ExternalResult } from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const Row = z.object({
  id: ExternalResultId,
  name: z.string(),
  file: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  content: json(ExternalContent),
  imported_at: z.string(),
});
const COLUMNS = 'id, name, file, sha256, bytes, content, imported_at';

type NewExternalResult = Omit<ExternalResult, 'id' | 'label' | 'importedAt'>;

export interface ExternalResultRepository {
  /** Not in the trash, newest first. */
  list(): ExternalResult[];
  /** Also finds results in the trash. */
  get(id: ExternalResultId): ExternalResult;
  /** The result in the study that the same bytes gave, if there is one. */
  bySha(sha256: string): ExternalResult | undefined;
  /** Undoable. */
  insert(result: NewExternalResult): ExternalResult;
  /** Undoable. */
  rename(id: ExternalResultId, name: string): ExternalResult;
  /** To the trash; undoable. */
  remove(id: ExternalResultId): void;
}

export function createExternalResultRepository({ db, undo }: StoreContext): ExternalResultRepository {
  const selectAll = query<[], typeof Row>(
    db,
    `SELECT ${COLUMNS} FROM external_result WHERE removed_at IS NULL ORDER BY id DESC`,
    Row,
  );
  const select = query<[number], typeof Row>(db, `SELECT ${COLUMNS} FROM external_result WHERE id = ?`, Row);
  const selectSha = query<[string], typeof Row>(
    db,
    `SELECT ${COLUMNS} FROM external_result WHERE sha256 = ? AND removed_at IS NULL`,
    Row,
  );
  const insert = db.prepare(
    'INSERT INTO external_result (name, file, sha256, bytes, content, imported_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const row = (id: number) => found(select.get(id), 'external result', id);
  const edit = <T>(verb: string, id: ExternalResultId, work: () => T): T =>
    undo.edit(`${verb} ${labelOf(row(id).id)}`, 'results', work);
  return {
    list: () => selectAll.all().map(toResult),
    get: (id) => toResult(row(id)),
    bySha: (sha256) => {
      const known = selectSha.get(sha256);
      return known === undefined ? undefined : toResult(known);
    },
    insert: ({ name, file, sha256, bytes, ...content }) =>
      undo.edit(`Import ${name}`, 'results', () => {
        const text = JSON.stringify(ExternalContent.parse(content));
        const { lastInsertRowid } = insert.run(name, file, sha256, bytes, text, now());
        return toResult(row(brandId(ExternalResultId, lastInsertRowid)));
      }),
    rename: (id, name) => {
      edit('Rename', id, () => db.prepare('UPDATE external_result SET name = ? WHERE id = ?').run(name, id));
      return toResult(row(id));
    },
    remove: (id) => {
      edit('Remove', id, () =>
        db.prepare('UPDATE external_result SET removed_at = ? WHERE id = ?').run(now(), id),
      );
    },
  };
}

/** `X-01`. */
function labelOf(id: number): string {
  return `X-${String(id).padStart(2, '0')}`;
}

function toResult({ content, imported_at, ...rest }: z.output<typeof Row>): ExternalResult {
  return { ...content, ...rest, label: labelOf(rest.id), importedAt: imported_at };
}
