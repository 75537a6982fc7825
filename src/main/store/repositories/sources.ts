import { z } from 'zod';
import type { Source } from '../../../shared/domain/index.ts';
import { Reject, SourceId, SourceKind, SourceStatus } from '../../../shared/domain/index.ts';
import { now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const Row = z.object({
  id: SourceId,
  name: z.string(),
  kind: SourceKind,
  sha256: z.string().nullable(),
  importedAt: z.string(),
  status: SourceStatus,
  message: z.string().nullable(),
  read: z.number(),
  added: z.number(),
  duplicates: z.number(),
  rejected: z.number(),
  position: z.number(),
});
const COLUMNS = `id, name, kind, sha256, imported_at AS importedAt, status, message, position,
  n_read AS read, n_added AS added, n_duplicates AS duplicates, n_rejected AS rejected`;

/** Counts of one committed batch. */
export interface BatchCounts {
  /** Items of the file gone through, deletion notices included: where a continued import goes on. */
  readonly items: number;
  readonly read: number;
  readonly added: number;
  readonly duplicates: number;
  readonly rejected: number;
}

export interface SourceRepository {
  list(): Source[];
  get(id: SourceId): Source;
  /** How many items of the file are committed. */
  position(id: SourceId): number;
  /** `reading`: how the content is read, told by a text; null where it is not read from a file. */
  begin(name: string, kind: Source['kind'], sha256: string | null, reading?: string | null): Source;
  /** An import of this very content, read like this, that did not come to its end: continued rather than repeated. */
  findUnfinished(sha256: string, reading: string): Source | undefined;
  /** Notes that a job imports this source as the file with that index, from now on. */
  assign(id: SourceId, jobId: number, fileIndex: number): void;
  /** The source that a job made of a file of this content, read like this, if an earlier attempt got that far. */
  findOfJob(jobId: number, fileIndex: number, sha256: string, reading: string): Source | undefined;
  /** Marks what a job left of other content in the place of a source, or read otherwise, as incomplete. */
  supersede(id: SourceId): void;
  /** Marks what a job left half imported, and will not go on with, as incomplete. */
  interrupt(jobId: number): void;
  advance(id: SourceId, counts: BatchCounts): void;
  addReject(id: SourceId, reject: Reject): void;
  rejects(id: SourceId): Reject[];
  setStatus(id: SourceId, status: Source['status'], message: string | null): void;
}

export function createSourceRepository({ db }: StoreContext): SourceRepository {
  const selectAll = query<[], typeof Row>(db, `SELECT ${COLUMNS} FROM source ORDER BY id`, Row);
  const select = query<[number], typeof Row>(db, `SELECT ${COLUMNS} FROM source WHERE id = ?`, Row);
  const selectUnfinished = query<[string, string], typeof Row>(
    db,
    `SELECT ${COLUMNS} FROM source WHERE sha256 = ? AND reading = ? AND status <> 'complete' ORDER BY id DESC LIMIT 1`,
    Row,
  );
  const selectOfJob = query<[number, number, string, string], typeof Row>(
    db,
    `SELECT ${COLUMNS} FROM source WHERE job_id = ? AND file_index = ? AND sha256 = ? AND reading = ?`,
    Row,
  );
  const assign = db.prepare("UPDATE source SET job_id = ?, file_index = ?, status = 'running' WHERE id = ?");
  const selectRejects = query<[number], typeof Reject>(
    db,
    'SELECT line, key, reason FROM reject WHERE source_id = ? ORDER BY id',
    Reject,
  );
  const insert = db.prepare(
    `INSERT INTO source (name, kind, sha256, reading, imported_at, status) VALUES (?, ?, ?, ?, ?, 'running')`,
  );
  const advance = db.prepare(
    `UPDATE source SET position = position + @items, n_read = n_read + @read, n_added = n_added + @added,
       n_duplicates = n_duplicates + @duplicates, n_rejected = n_rejected + @rejected WHERE id = @id`,
  );
  const insertReject = db.prepare('INSERT INTO reject (source_id, line, key, reason) VALUES (?, ?, ?, ?)');
  const interrupt = db.prepare(
    `UPDATE source SET status = 'incomplete', message = 'The import was interrupted.'
     WHERE job_id = ? AND status = 'running'`,
  );
  const supersede = db.prepare(
    `UPDATE source SET status = 'incomplete', message = 'The file has changed, or is read otherwise since.'
     WHERE status = 'running' AND id <> @id AND (job_id, file_index) =
       (SELECT job_id, file_index FROM source WHERE id = @id)`,
  );
  const setStatus = db.prepare('UPDATE source SET status = ?, message = ? WHERE id = ?');
  const row = (id: number) => found(select.get(id), 'source', id);

  return {
    list: () => selectAll.all().map(toSource),
    get: (id) => toSource(row(id)),
    position: (id) => row(id).position,
    begin: (name, kind, sha256, reading = null) =>
      toSource(row(brandId(SourceId, insert.run(name, kind, sha256, reading, now()).lastInsertRowid))),
    findUnfinished: (sha256, reading) => {
      const unfinished = selectUnfinished.get(sha256, reading);
      return unfinished && toSource(unfinished);
    },
    assign: (id, jobId, fileIndex) => {
      assign.run(jobId, fileIndex, id);
    },
    findOfJob: (jobId, fileIndex, sha256, reading) => {
      const begun = selectOfJob.get(jobId, fileIndex, sha256, reading);
      return begun && toSource(begun);
    },
    supersede: (id) => {
      supersede.run({ id });
    },
    interrupt: (jobId) => {
      interrupt.run(jobId);
    },
    advance: (id, counts) => {
      advance.run({ id, ...counts });
    },
    addReject: (id, reject) => {
      insertReject.run(id, reject.line, reject.key, reject.reason);
    },
    rejects: (id) => {
      row(id);
      return selectRejects.all(id);
    },
    setStatus: (id, status, message) => {
      setStatus.run(status, message, id);
    },
  };
}

function toSource({ position: _position, ...source }: z.output<typeof Row>): Source {
  return source;
}
