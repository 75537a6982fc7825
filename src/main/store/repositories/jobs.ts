import { z } from 'zod';
import type { Job } from '../../../shared/domain/index.ts';
import { JobId, JobProgress, JobStatus } from '../../../shared/domain/index.ts';
import type { SerializedError } from '../../../shared/errors/index.ts';
import { flag, json, now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const StoredError = z.object({
  kind: z.enum(['user', 'format', 'engine', 'store', 'cancelled', 'invariant']),
  code: z.string(),
  message: z.string(),
  next: z.string(),
});
const Row = z.object({
  id: JobId,
  kind: z.string(),
  title: z.string(),
  params: json(z.unknown()),
  heavy: flag,
  status: JobStatus,
  progress: json(JobProgress),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  resumed: flag,
  error: json(StoredError).nullable(),
  summary: z.string().nullable(),
  result: json(z.unknown()).nullable(),
});
const LogRow = z.object({ at: z.string(), line: z.string() });

/** A job with what the queue needs beside what the user sees. */
export interface StoredJob {
  readonly job: Job;
  readonly params: unknown;
  readonly heavy: boolean;
  readonly result: unknown;
  readonly error: SerializedError | null;
}

interface NewJob {
  readonly kind: string;
  readonly title: string;
  readonly params: unknown;
  readonly heavy: boolean;
}

/** What changes when a job moves on; those left out stay. */
export interface JobUpdate {
  readonly status?: JobStatus;
  readonly progress?: JobProgress;
  readonly resumed?: boolean;
  readonly startedAt?: string;
  readonly finishedAt?: string | null;
  readonly error?: SerializedError | null;
  readonly summary?: string | null;
  readonly result?: unknown;
}

export interface JobRepository {
  /** Newest first. */
  list(limit?: number): Job[];
  get(id: JobId): StoredJob;
  insert(job: NewJob): StoredJob;
  update(id: JobId, change: JobUpdate): Job;
  /** Oldest first. */
  withStatus(status: JobStatus): StoredJob[];
  addLog(id: JobId, line: string): void;
  log(id: JobId): { at: string; line: string }[];
}

const NO_PROGRESS: JobProgress = {
  done: 0,
  total: null,
  unit: '',
  rate: null,
  secondsLeft: null,
  message: '',
};

export function createJobRepository({ db }: StoreContext): JobRepository {
  const selectAll = query<[number], typeof Row>(db, 'SELECT * FROM job ORDER BY id DESC LIMIT ?', Row);
  const select = query<[number], typeof Row>(db, 'SELECT * FROM job WHERE id = ?', Row);
  const selectStatus = query<[string], typeof Row>(db, 'SELECT * FROM job WHERE status = ? ORDER BY id', Row);
  const selectLog = query<[number], typeof LogRow>(
    db,
    'SELECT at, line FROM job_log WHERE job_id = ? ORDER BY id',
    LogRow,
  );
  const insert = db.prepare(
    `INSERT INTO job (kind, title, params, heavy, status, progress, created_at) VALUES (?, ?, ?, ?, 'queued', ?, ?)`,
  );
  const insertLog = db.prepare('INSERT INTO job_log (job_id, at, line) VALUES (?, ?, ?)');
  const row = (id: number) => found(select.get(id), 'job', id);

  return {
    list: (limit = 200) => selectAll.all(limit).map((r) => toStored(r).job),
    get: (id) => toStored(row(id)),
    insert: (job) => {
      const { lastInsertRowid } = insert.run(
        job.kind,
        job.title,
        JSON.stringify(job.params),
        job.heavy ? 1 : 0,
        JSON.stringify(NO_PROGRESS),
        now(),
      );
      return toStored(row(brandId(JobId, lastInsertRowid)));
    },
    update: (id, change) => {
      const columns = updatedColumns(change);
      if (columns.length > 0) {
        const sets = columns.map(([name]) => `${name} = ?`).join(', ');
        db.prepare(`UPDATE job SET ${sets} WHERE id = ?`).run(...columns.map(([, v]) => v), id);
      }
      return toStored(row(id)).job;
    },
    withStatus: (status) => selectStatus.all(status).map(toStored),
    addLog: (id, line) => {
      insertLog.run(id, now(), line);
    },
    log: (id) => selectLog.all(id),
  };
}

function updatedColumns(change: JobUpdate): [string, string | number | null][] {
  const encode = (value: unknown) =>
    value === null ? null : value === undefined ? undefined : JSON.stringify(value);
  const columns: [string, string | number | null | undefined][] = [
    ['status', change.status],
    ['progress', encode(change.progress)],
    ['resumed', change.resumed === undefined ? undefined : Number(change.resumed)],
    ['started_at', change.startedAt],
    ['finished_at', change.finishedAt],
    ['error', encode(change.error)],
    ['summary', change.summary],
    ['result', encode(change.result)],
  ];
  return columns.filter((c): c is [string, string | number | null] => c[1] !== undefined);
}

function toStored(row: z.output<typeof Row>): StoredJob {
  const { error } = row;
  return {
    params: row.params,
    heavy: row.heavy,
    result: row.result,
    error,
    job: {
      id: row.id,
      kind: row.kind,
      title: row.title,
      status: row.status,
      progress: row.progress,
      createdAt: row.created_at,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      resumed: row.resumed,
      pausable: true,
      error: error === null ? null : { code: error.code, message: error.message, next: error.next },
      summary: row.summary,
    },
  };
}
