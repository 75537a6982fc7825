import { z } from 'zod';
import type { Sweep } from '../../../shared/domain/index.ts';
import {
  JobId,
  Provenance,
  SweepId,
  SweepPlan,
  SweepSpec,
  SweepStatus,
} from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const Place = z.tuple([z.number().int(), z.number().int()]);
const TokenLists = z.array(z.array(z.number().int()));

/**
 * A pair as a sweep runs it: token ids under the sweep's model, so that results stay readable whatever
 * becomes of the pair set. The index in the list is the `pair_index` of the blocks.
 */
export const SweepInput = z.object({
  id: z.string(),
  /** Cluster for statistics. */
  item: z.string(),
  type: z.string().nullable(),
  clean: z.array(z.number().int()),
  corrupted: z.array(z.number().int()),
  answer: z.array(z.number().int()),
  wrong: z.array(z.number().int()),
  /** Position at which the metric is read. */
  read: z.number().int(),
  /** As `read`, in a corrupted prompt of another length. */
  readCorrupted: z.number().int().optional(),
  key: z.array(z.number().int()).optional(),
  spans: z.record(z.string(), z.object({ clean: Place, corrupted: Place })).optional(),
  sequences: z.object({ answer: TokenLists, wrong: TokenLists }).optional(),
  donor: z.array(z.number().int()).optional(),
  /** Tokens of the clean prompt as text, for the axis. */
  labels: z.array(z.string()),
});
export type SweepInput = z.infer<typeof SweepInput>;

const Row = z.object({
  id: SweepId,
  name: z.string(),
  spec: json(SweepSpec),
  status: SweepStatus,
  job_id: JobId.nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  plan: json(SweepPlan).nullable(),
  warnings: json(z.array(z.string())),
  provenance: json(Provenance).nullable(),
});
const COLUMNS = 'id, name, spec, status, job_id, created_at, finished_at, plan, warnings, provenance';

interface NewSweep {
  readonly name: string;
  readonly spec: SweepSpec;
  readonly plan: SweepPlan | null;
  readonly warnings: readonly string[];
  readonly inputs: readonly SweepInput[];
}

/** Columns that a running job writes; those left out stay. */
interface SweepUpdate {
  readonly status?: Sweep['status'];
  readonly jobId?: JobId;
  readonly finishedAt?: string | null;
  readonly plan?: SweepPlan;
  readonly warnings?: readonly string[];
  readonly provenance?: Provenance;
}

export interface SweepRepository {
  /** Not in the trash, newest first. */
  list(): Sweep[];
  /** Also finds sweeps in the trash. */
  get(id: SweepId): Sweep;
  insert(sweep: NewSweep): Sweep;
  update(id: SweepId, change: SweepUpdate): Sweep;
  inputs(id: SweepId): SweepInput[];
  /** Undoable. */
  rename(id: SweepId, name: string): Sweep;
  /** To the trash; undoable. */
  remove(id: SweepId): void;
  count(): number;
}

export function createSweepRepository({ db, undo }: StoreContext): SweepRepository {
  const selectAll = query<[], typeof Row>(
    db,
    `SELECT ${COLUMNS} FROM sweep WHERE removed_at IS NULL ORDER BY id DESC`,
    Row,
  );
  const select = query<[number], typeof Row>(db, `SELECT ${COLUMNS} FROM sweep WHERE id = ?`, Row);
  const InputsRow = z.object({ inputs: json(z.array(SweepInput)) });
  const selectInputs = query<[number], typeof InputsRow>(
    db,
    'SELECT inputs FROM sweep WHERE id = ?',
    InputsRow,
  );
  const insert = db.prepare(
    `INSERT INTO sweep (name, spec, status, created_at, plan, warnings, inputs)
     VALUES (?, ?, 'queued', ?, ?, ?, ?)`,
  );
  const row = (id: number) => found(select.get(id), 'sweep', id);

  return {
    list: () => selectAll.all().map(toSweep),
    get: (id) => toSweep(row(id)),
    insert: (sweep) => {
      const { lastInsertRowid } = insert.run(
        sweep.name,
        JSON.stringify(sweep.spec),
        now(),
        sweep.plan === null ? null : JSON.stringify(sweep.plan),
        JSON.stringify(sweep.warnings),
        JSON.stringify(sweep.inputs),
      );
      return toSweep(row(brandId(SweepId, lastInsertRowid)));
    },
    update: (id, change) => {
      row(id);
      const columns = updatedColumns(change);
      if (columns.length > 0) {
        const sets = columns.map(([name]) => `${name} = ?`).join(', ');
        db.prepare(`UPDATE sweep SET ${sets} WHERE id = ?`).run(...columns.map(([, v]) => v), id);
      }
      return toSweep(row(id));
    },
    inputs: (id) => found(selectInputs.get(id), 'sweep', id).inputs,
    rename: (id, name) => {
      undo.edit(`Rename sweep ${labelOf(row(id).id)}`, 'sweeps', () =>
        db.prepare('UPDATE sweep SET name = ? WHERE id = ?').run(name, id),
      );
      return toSweep(row(id));
    },
    remove: (id) => {
      undo.edit(`Remove sweep ${labelOf(row(id).id)}`, 'sweeps', () =>
        db.prepare('UPDATE sweep SET removed_at = ? WHERE id = ?').run(now(), id),
      );
    },
    count: () => Number(db.prepare('SELECT count(*) FROM sweep WHERE removed_at IS NULL').pluck().get()),
  };
}

function updatedColumns(change: SweepUpdate): [string, string | number | null][] {
  const columns: [string, string | number | null | undefined][] = [
    ['status', change.status],
    ['job_id', change.jobId],
    ['finished_at', change.finishedAt],
    ['plan', change.plan && JSON.stringify(change.plan)],
    ['warnings', change.warnings && JSON.stringify(change.warnings)],
    ['provenance', change.provenance && JSON.stringify(change.provenance)],
  ];
  return columns.filter((c): c is [string, string | number | null] => c[1] !== undefined);
}

/** `S-07`. */
function labelOf(id: number): string {
  return `S-${String(id).padStart(2, '0')}`;
}

function toSweep(row: z.output<typeof Row>): Sweep {
  return {
    id: row.id,
    label: labelOf(row.id),
    name: row.name,
    spec: row.spec,
    status: row.status,
    jobId: row.job_id,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    plan: row.plan,
    warnings: row.warnings,
    provenance: row.provenance,
  };
}
