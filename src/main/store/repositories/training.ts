import { z } from 'zod';
import type { TrainingRun } from '../../../shared/domain/index.ts';
import {
  DatasetId,
  type EpochPoint,
  JobId,
  ModelId,
  Provenance,
  type StepPoint,
  StoredTrainingConfig,
  TrainingRunId,
  TrainingStatus,
} from '../../../shared/domain/index.ts';
import { flag, json, now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const Row = z.object({
  id: TrainingRunId,
  name: z.string(),
  base_model_id: ModelId,
  model_id: ModelId.nullable(),
  dataset_id: DatasetId,
  job_id: JobId.nullable(),
  config: json(StoredTrainingConfig),
  status: TrainingStatus,
  created_at: z.string(),
  total_steps: z.number(),
  step: z.number(),
  best_epoch: z.number().nullable(),
  best_validation_loss: z.number().nullable(),
  stopped_early: flag,
  sample: z.string().nullable(),
  warnings: json(z.array(z.string())),
  provenance: json(Provenance).nullable(),
});

/** A value that overflowed is stored as NULL and comes back as NaN. */
const real = z
  .number()
  .nullable()
  .transform((n) => n ?? Number.NaN);
const StepRow = z.object({
  step: z.number(),
  epoch: z.number(),
  loss: real,
  learning_rate: z.number(),
  gradient_norm: real,
  tokens_per_second: real,
});
const EpochRow = z.object({
  epoch: z.number(),
  step: z.number(),
  train_loss: real,
  validation_loss: real,
  best: flag,
});

interface NewTrainingRun {
  readonly name: string;
  readonly baseModelId: ModelId;
  readonly datasetId: DatasetId;
  readonly config: TrainingRun['config'];
  readonly warnings: readonly string[];
}

/** Columns that a running job writes; those left out stay. */
interface TrainingUpdate {
  readonly status?: TrainingRun['status'];
  readonly jobId?: JobId;
  readonly modelId?: ModelId;
  readonly totalSteps?: number;
  readonly step?: number;
  readonly bestEpoch?: number;
  readonly bestValidationLoss?: number;
  readonly stoppedEarly?: boolean;
  readonly sample?: string | null;
  readonly warnings?: readonly string[];
  readonly provenance?: Provenance;
}

export interface TrainingRepository {
  list(): TrainingRun[];
  get(id: TrainingRunId): TrainingRun;
  insert(run: NewTrainingRun): TrainingRun;
  update(id: TrainingRunId, change: TrainingUpdate): TrainingRun;
  /** Continuation of the sample prompt after the newest epoch. */
  sample(id: TrainingRunId): string | null;
  /** Stores points; a step already there is replaced, so that a resumed run may repeat steps. */
  addSteps(id: TrainingRunId, steps: readonly StepPoint[]): void;
  addEpoch(id: TrainingRunId, point: EpochPoint): void;
  /** Forgets points after a step: what a resumed run will compute again. */
  truncateAfter(id: TrainingRunId, step: number): void;
  steps(id: TrainingRunId): StepPoint[];
  epochs(id: TrainingRunId): EpochPoint[];
}

export function createTrainingRepository({ db }: StoreContext): TrainingRepository {
  const selectAll = query<[], typeof Row>(
    db,
    'SELECT * FROM training_run WHERE removed_at IS NULL ORDER BY id',
    Row,
  );
  const select = query<[number], typeof Row>(db, 'SELECT * FROM training_run WHERE id = ?', Row);
  const selectSteps = query<[number], typeof StepRow>(
    db,
    'SELECT * FROM training_step WHERE run_id = ? ORDER BY step',
    StepRow,
  );
  const selectEpochs = query<[number], typeof EpochRow>(
    db,
    'SELECT * FROM training_epoch WHERE run_id = ? ORDER BY epoch',
    EpochRow,
  );
  const insert = db.prepare(
    `INSERT INTO training_run (name, base_model_id, dataset_id, config, status, created_at, warnings)
     VALUES (?, ?, ?, ?, 'queued', ?, ?)`,
  );
  const insertStep = db.prepare(
    `INSERT OR REPLACE INTO training_step
       (run_id, step, epoch, loss, learning_rate, gradient_norm, tokens_per_second)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertEpoch = db.prepare(
    `INSERT OR REPLACE INTO training_epoch (run_id, epoch, step, train_loss, validation_loss, best)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const row = (id: number) => found(select.get(id), 'training run', id);

  return {
    list: () => selectAll.all().map(toRun),
    get: (id) => toRun(row(id)),
    insert: (run) => {
      const { lastInsertRowid } = insert.run(
        run.name,
        run.baseModelId,
        run.datasetId,
        JSON.stringify(run.config),
        now(),
        JSON.stringify(run.warnings),
      );
      return toRun(row(brandId(TrainingRunId, lastInsertRowid)));
    },
    update: (id, change) => {
      row(id);
      const columns = updatedColumns(change);
      if (columns.length > 0) {
        const sets = columns.map(([name]) => `${name} = ?`).join(', ');
        db.prepare(`UPDATE training_run SET ${sets} WHERE id = ?`).run(...columns.map(([, v]) => v), id);
      }
      return toRun(row(id));
    },
    sample: (id) => row(id).sample,
    addSteps: (id, steps) => {
      db.transaction(() => {
        for (const s of steps) {
          insertStep.run(id, s.step, s.epoch, s.loss, s.learningRate, s.gradientNorm, s.tokensPerSecond);
        }
      })();
    },
    addEpoch: (id, p) => {
      db.transaction(() => {
        if (p.best) db.prepare('UPDATE training_epoch SET best = 0 WHERE run_id = ?').run(id);
        insertEpoch.run(id, p.epoch, p.step, p.trainLoss, p.validationLoss, p.best ? 1 : 0);
      })();
    },
    truncateAfter: (id, step) => {
      db.transaction(() => {
        db.prepare('DELETE FROM training_step WHERE run_id = ? AND step > ?').run(id, step);
        db.prepare('DELETE FROM training_epoch WHERE run_id = ? AND step > ?').run(id, step);
      })();
    },
    steps: (id) =>
      selectSteps.all(id).map((s) => ({
        step: s.step,
        epoch: s.epoch,
        loss: s.loss,
        learningRate: s.learning_rate,
        gradientNorm: s.gradient_norm,
        tokensPerSecond: s.tokens_per_second,
      })),
    epochs: (id) =>
      selectEpochs.all(id).map((e) => ({
        epoch: e.epoch,
        step: e.step,
        trainLoss: e.train_loss,
        validationLoss: e.validation_loss,
        best: e.best,
      })),
  };
}

function updatedColumns(change: TrainingUpdate): [string, string | number | null][] {
  const columns: [string, string | number | null | undefined][] = [
    ['status', change.status],
    ['job_id', change.jobId],
    ['model_id', change.modelId],
    ['total_steps', change.totalSteps],
    ['step', change.step],
    ['best_epoch', change.bestEpoch],
    ['best_validation_loss', change.bestValidationLoss],
    ['stopped_early', change.stoppedEarly === undefined ? undefined : Number(change.stoppedEarly)],
    ['sample', change.sample],
    ['warnings', change.warnings && JSON.stringify(change.warnings)],
    ['provenance', change.provenance && JSON.stringify(change.provenance)],
  ];
  return columns.filter((c): c is [string, string | number | null] => c[1] !== undefined);
}

function toRun(row: z.output<typeof Row>): TrainingRun {
  return {
    id: row.id,
    name: row.name,
    baseModelId: row.base_model_id,
    modelId: row.model_id,
    datasetId: row.dataset_id,
    jobId: row.job_id,
    config: row.config,
    status: row.status,
    createdAt: row.created_at,
    totalSteps: row.total_steps,
    step: row.step,
    bestEpoch: row.best_epoch,
    bestValidationLoss: row.best_validation_loss,
    stoppedEarly: row.stopped_early,
    warnings: row.warnings,
    provenance: row.provenance,
  };
}
