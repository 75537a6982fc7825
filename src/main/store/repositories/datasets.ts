import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Dataset, DatasetMember } from '../../../shared/domain/index.ts';
import {
  DatasetId,
  DatasetSplit,
  FlowCount,
  NearCopyReport,
  FreezeOptions,
  RecordId,
  TermCount,
} from '../../../shared/domain/index.ts';
import { json, now, query } from '../rows.ts';
import type { RecordIndex } from '../record-index/index.ts';
import { atOnce, type Steps } from '../steps.ts';
import { type StoreContext, brandId, found } from './base.ts';
import type { CurationRepository } from './curation.ts';
import { createDatasetComposer, type DatasetDraft } from './dataset-draft.ts';
import type { TermRepository } from './terms.ts';

const Row = z.object({
  id: DatasetId,
  name: z.string(),
  version: z.number(),
  created_at: z.string(),
  options: json(FreezeOptions),
  n_train: z.number(),
  n_validation: z.number(),
  flow: json(FlowCount),
  terms: json(z.array(TermCount)),
  hash: z.string(),
  near_copies: json(NearCopyReport).nullable(),
});
const MemberRow = z.object({
  recordId: RecordId,
  ordinal: z.number(),
  split: DatasetSplit,
  text: z.string(),
});

export interface DatasetRepository {
  list(): Dataset[];
  get(id: DatasetId): Dataset;
  /** By number or by name (its newest version); undefined when there is none. */
  find(name: string): Dataset | undefined;
  /** Throws UserInputError `DATASET_EMPTY` or `SPLIT_TOO_SMALL`. */
  preview(options: FreezeOptions): DatasetDraft;
  previewSteps(options: FreezeOptions): Steps<DatasetDraft>;
  /** Texts to train on that nearly repeat a held-out one, were the version frozen now. */
  nearCopySteps(options: FreezeOptions): Steps<NearCopyReport>;
  /**
   * Stores an immutable version. Members are in the order in which records were added; `train` and
   * `validation` are those of scikit-learn's `train_test_split` over that order.
   */
  freeze(options: FreezeOptions): Dataset;
  /** The same in steps: the version is there with the last one. `jobId` finds it again. */
  freezeSteps(options: FreezeOptions, jobId: number | null): Steps<Dataset>;
  /** What a job froze, if it came that far. */
  ofJob(jobId: number): Dataset | undefined;
  /** Members of one part in the order of the split's permutation, or all in record order. */
  members(id: DatasetId, split?: z.infer<typeof DatasetSplit>): DatasetMember[];
  count(): number;
}

export function createDatasetRepository(
  { db }: StoreContext,
  curation: CurationRepository,
  terms: TermRepository,
  index: RecordIndex,
): DatasetRepository {
  const composer = createDatasetComposer(db, curation, terms, index);
  const READY = 'SELECT d.*, y.near_copies FROM dataset d JOIN dataset_ready y ON y.dataset_id = d.id';
  const selectAll = query<[], typeof Row>(db, `${READY} ORDER BY d.id`, Row);
  const select = query<[number], typeof Row>(db, `${READY} WHERE d.id = ?`, Row);
  const selectOfJob = query<[number], typeof Row>(db, `${READY} WHERE y.job_id = ?`, Row);
  const selectNamed = query<[string, string], typeof Row>(
    db,
    `${READY} WHERE d.name = ? OR CAST(d.id AS TEXT) = ? ORDER BY d.version DESC, d.id DESC LIMIT 1`,
    Row,
  );
  const MEMBERS =
    'SELECT record_id AS recordId, ordinal, split, text FROM dataset_member WHERE dataset_id = ?';
  const selectMembers = query<[number], typeof MemberRow>(db, `${MEMBERS} ORDER BY ordinal`, MemberRow);
  const selectSplit = query<[number, string], typeof MemberRow>(
    db,
    `${MEMBERS} AND split = ? ORDER BY position`,
    MemberRow,
  );
  const insert = db.prepare(
    `INSERT INTO dataset (name, version, created_at, options, n_train, n_validation, flow, terms, hash)
     VALUES (?, 1 + (SELECT coalesce(max(version), 0) FROM dataset WHERE name = ?), ?, ?, ?, ?, ?, ?, '')`,
  );
  const insertMember = db.prepare(
    `INSERT INTO dataset_member (dataset_id, ordinal, record_id, split, position, text) VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const setHash = db.prepare<[string, number]>('UPDATE dataset SET hash = ? WHERE id = ?');
  const setReady = db.prepare<[number, number | null, string]>(
    'INSERT INTO dataset_ready (dataset_id, job_id, near_copies) VALUES (?, ?, ?)',
  );
  // What an interruption left half written.
  db.exec(`DELETE FROM dataset_member WHERE dataset_id IN
      (SELECT id FROM dataset WHERE id NOT IN (SELECT dataset_id FROM dataset_ready));
    DELETE FROM dataset WHERE id NOT IN (SELECT dataset_id FROM dataset_ready)`);

  function* freezeSteps(options: FreezeOptions, jobId: number | null): Steps<Dataset> {
    const composed = yield* composer.compose(options);
    const { draft, members } = composed;
    const report = yield* composer.nearCopies(options, composed);
    const { lastInsertRowid } = insert.run(
      options.name,
      options.name,
      now(),
      JSON.stringify(options),
      draft.nTrain,
      draft.nValidation,
      JSON.stringify(draft.flow),
      JSON.stringify(draft.terms),
    );
    const id = brandId(DatasetId, lastInsertRowid);
    // SHA-256 over split, length and text of every member in order.
    const hash = createHash('sha256');
    let done = 0;
    for (const chunk of composer.chunks(options, composed)) {
      db.transaction(() => {
        for (const { recordId, ordinal, split, position, text } of chunk) {
          const bytes = Buffer.from(text, 'utf8');
          hash.update(`${split} ${position} ${bytes.byteLength}\n`).update(bytes);
          insertMember.run(id, ordinal, recordId, split, position, text);
        }
      })();
      done += chunk.length;
      yield { done, total: members.length, doing: 'writing' };
    }
    return db
      .transaction(() => {
        setHash.run(hash.digest('hex'), id);
        setReady.run(id, jobId, JSON.stringify(report));
        return toDataset(found(select.get(id), 'dataset', id));
      })
      .immediate();
  }

  return {
    list: () => selectAll.all().map(toDataset),
    get: (id) => toDataset(found(select.get(id), 'dataset', id)),
    find: (name) => {
      const named = selectNamed.get(name, name);
      return named && toDataset(named);
    },
    preview: (options) => atOnce(composer.compose(options)).draft,
    previewSteps: function* (options) {
      return (yield* composer.compose(options)).draft;
    },
    nearCopySteps: function* (options) {
      return yield* composer.nearCopies(options, yield* composer.compose(options));
    },
    freeze: (options) => {
      // Terms not counted yet are counted apart: what is rolled back must not be remembered as counted.
      terms.active();
      return db.transaction(() => atOnce(freezeSteps(options, null))).immediate();
    },
    freezeSteps,
    ofJob: (jobId) => {
      const made = selectOfJob.get(jobId);
      return made && toDataset(made);
    },
    members: (id, split) => {
      found(select.get(id), 'dataset', id);
      return split === undefined ? selectMembers.all(id) : selectSplit.all(id, split);
    },
    count: () => Number(db.prepare('SELECT count(*) FROM dataset_ready').pluck().get()),
  };
}

function toDataset(row: z.output<typeof Row>): Dataset {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    createdAt: row.created_at,
    options: row.options,
    nTrain: row.n_train,
    nValidation: row.n_validation,
    flow: row.flow,
    terms: row.terms,
    hash: row.hash,
    nearCopies: row.near_copies,
  };
}
