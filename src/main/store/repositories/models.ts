import { z } from 'zod';
import type { Model } from '../../../shared/domain/index.ts';
import {
  ModelConfig,
  ModelEvaluation,
  ModelId,
  ModelOrigin,
  TrainingRunId,
} from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import { type StoreContext, brandId, found } from './base.ts';

const Row = z.object({
  id: ModelId,
  name: z.string(),
  origin: ModelOrigin,
  parent_id: ModelId.nullable(),
  training_run_id: TrainingRunId.nullable(),
  config: json(ModelConfig),
  parameters: z.number(),
  bytes: z.number(),
  tokenizer: z.string(),
  weights_hash: z.string(),
  artifact_hash: z.string(),
  created_at: z.string(),
  evaluation: json(ModelEvaluation).nullable(),
  removed_at: z.string().nullable(),
});

export interface NewModel extends Omit<Model, 'id' | 'createdAt'> {
  /** Hash of the folder in the artifact store. */
  readonly artifactHash: string;
}

export interface ModelRepository {
  /** Not in the trash, oldest first. */
  list(): Model[];
  /** Also finds models in the trash, so that old sweeps keep their names. Throws `NOT_IN_STUDY`. */
  get(id: ModelId): Model;
  /** By number, or by exact name; undefined when there is none. */
  find(name: string): Model | undefined;
  /** Hash of its folder, for `study.artifacts.path`. */
  artifactOf(id: ModelId): string;
  insert(model: NewModel): Model;
  setEvaluation(id: ModelId, evaluation: ModelEvaluation): void;
  /** Undoable. */
  rename(id: ModelId, name: string): Model;
  /** To the trash; undoable. */
  remove(id: ModelId): void;
  count(): number;
}

export function createModelRepository({ db, undo }: StoreContext): ModelRepository {
  const selectAll = query<[], typeof Row>(
    db,
    'SELECT * FROM model WHERE removed_at IS NULL ORDER BY id',
    Row,
  );
  const select = query<[number], typeof Row>(db, 'SELECT * FROM model WHERE id = ?', Row);
  const selectNamed = query<[string, string], typeof Row>(
    db,
    'SELECT * FROM model WHERE removed_at IS NULL AND (name = ? OR CAST(id AS TEXT) = ?) ORDER BY id DESC LIMIT 1',
    Row,
  );
  const insert = db.prepare(
    `INSERT INTO model (name, origin, parent_id, training_run_id, config, parameters, bytes, tokenizer,
       weights_hash, artifact_hash, created_at, evaluation)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const row = (id: number) => found(select.get(id), 'model', id);

  return {
    list: () => selectAll.all().map(toModel),
    get: (id) => toModel(row(id)),
    find: (name) => {
      const named = selectNamed.get(name, name);
      return named && toModel(named);
    },
    artifactOf: (id) => row(id).artifact_hash,
    insert: (m) => {
      const { lastInsertRowid } = insert.run(
        m.name,
        m.origin,
        m.parentId,
        m.trainingRunId,
        JSON.stringify(m.config),
        m.parameters,
        m.bytes,
        m.tokenizer,
        m.weightsHash,
        m.artifactHash,
        now(),
        m.evaluation === null ? null : JSON.stringify(m.evaluation),
      );
      return toModel(row(brandId(ModelId, lastInsertRowid)));
    },
    setEvaluation: (id, evaluation) => {
      row(id);
      db.prepare('UPDATE model SET evaluation = ? WHERE id = ?').run(JSON.stringify(evaluation), id);
    },
    rename: (id, name) => {
      undo.edit(`Rename model ${row(id).name}`, 'models', () =>
        db.prepare('UPDATE model SET name = ? WHERE id = ?').run(name, id),
      );
      return toModel(row(id));
    },
    remove: (id) => {
      undo.edit(`Remove model ${row(id).name}`, 'models', () =>
        db.prepare('UPDATE model SET removed_at = ? WHERE id = ?').run(now(), id),
      );
    },
    count: () => Number(db.prepare('SELECT count(*) FROM model WHERE removed_at IS NULL').pluck().get()),
  };
}

function toModel(row: z.output<typeof Row>): Model {
  return {
    id: row.id,
    name: row.name,
    origin: row.origin,
    parentId: row.parent_id,
    trainingRunId: row.training_run_id,
    config: row.config,
    parameters: row.parameters,
    bytes: row.bytes,
    tokenizer: row.tokenizer,
    weightsHash: row.weights_hash,
    createdAt: row.created_at,
    evaluation: row.evaluation,
  };
}
