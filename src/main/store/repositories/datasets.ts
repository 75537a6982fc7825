import { createHash } from 'node:crypto';
import { z } from 'zod';
import { RecordFilter } from '../../../shared/contracts/index.ts';
import type { Dataset, DatasetMember } from '../../../shared/domain/index.ts';
import {
  DatasetId,
  DatasetSplit,
  Decision,
  FlowCount,
  NearCopyReport,
  FreezeOptions,
  RecordFlag,
  RecordId,
  TermCount,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { NearCopies, type NearCopy, termMatcher } from '../../../shared/text/index.ts';
import { trainTestSplit } from '../../engine/random/index.ts';
import { json, now, query } from '../rows.ts';
import type { RecordIndex } from '../record-index/index.ts';
import { atOnce, type Steps } from '../steps.ts';
import { type StoreContext, brandId, found } from './base.ts';
import type { CurationRepository } from './curation.ts';
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
const CandidateRow = z.object({
  id: RecordId,
  title: z.string(),
  abstract: z.string(),
  flags: json(z.array(RecordFlag)),
  decision: Decision,
});

/** What freezing would make now. */
export interface DatasetDraft {
  readonly nTrain: number;
  readonly nValidation: number;
  readonly terms: TermCount[];
  readonly flow: FlowCount;
  /** Chosen records that have no abstract and are therefore left out. */
  readonly withoutAbstract: number;
  /** Members that nobody decided on. */
  readonly undecided: number;
  /** Included records that carry a flag, by flag. */
  readonly flagged: Readonly<Record<string, number>>;
  /** Some of the texts, evenly spread: to say how long they are. */
  readonly sample: readonly string[];
}

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

type Candidate = z.output<typeof CandidateRow>;

interface Composed {
  readonly draft: DatasetDraft;
  /** Record ids in the order in which records were added. */
  readonly members: Uint32Array;
  readonly places: Int32Array;
}

/** Records handled between two pauses, texts kept to measure lengths, near-copies named. */
const CHUNK = 500;
const SAMPLE = 1_000;
const EXAMPLES = 20;

export function createDatasetRepository(
  { db }: StoreContext,
  curation: CurationRepository,
  terms: TermRepository,
  index: RecordIndex,
): DatasetRepository {
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
  const selectCandidates = query<[string], typeof CandidateRow>(
    db,
    `SELECT r.id, r.title, b.abstract, r.flags, coalesce(d.decision, 'undecided') AS decision
     FROM json_each(?) j JOIN record r ON r.id = j.value JOIN record_body b ON b.record_id = r.id
       LEFT JOIN decision d ON d.record_id = r.id
     ORDER BY j.key`,
    CandidateRow,
  );
  // What an interruption left half written.
  db.exec(`DELETE FROM dataset_member WHERE dataset_id IN
      (SELECT id FROM dataset WHERE id NOT IN (SELECT dataset_id FROM dataset_ready));
    DELETE FROM dataset WHERE id NOT IN (SELECT dataset_id FROM dataset_ready)`);

  const chosenIds = (options: FreezeOptions): Uint32Array =>
    index
      .select({
        ...RecordFilter.parse({ query: options.query, hideCopies: true }),
        decisions: options.includeUndecided ? ['include', 'undecided'] : ['include'],
      })
      .ids.slice()
      .sort();

  /** Records by their ids, some at a time; `doing` is what is said meanwhile. */
  function* inChunks(ids: Uint32Array, doing: string, take: (candidate: Candidate) => void): Steps<void> {
    for (let at = 0; at < ids.length; at += CHUNK) {
      for (const c of selectCandidates.all(JSON.stringify([...ids.subarray(at, at + CHUNK)]))) take(c);
      yield { done: Math.min(at + CHUNK, ids.length), total: ids.length, doing };
    }
  }

  /** Counts what would be frozen, and splits it. */
  function* compose(options: FreezeOptions): Steps<Composed> {
    const chosen = chosenIds(options);
    const study = curation.flow();
    const names = terms.active().map((t) => t.text);
    const matcher = termMatcher(names);
    const totals = names.map((term) => ({ term, mentions: 0, articles: 0 }));
    const usable: number[] = [];
    const flagged: Record<string, number> = {};
    const sample: string[] = [];
    const every = Math.max(1, Math.ceil(chosen.length / SAMPLE));
    let undecided = 0;
    yield* inChunks(chosen, 'counting', (c) => {
      if (c.abstract.trim() === '') return;
      const text = textOf(c, options);
      if (usable.length % every === 0) sample.push(text);
      usable.push(c.id);
      if (c.decision === 'undecided') undecided++;
      for (const flag of c.flags) flagged[flag] = (flagged[flag] ?? 0) + 1;
      matcher.count(text).forEach((mentions, i) => {
        const total = totals[i];
        if (total === undefined || mentions === 0) return;
        total.mentions += mentions;
        total.articles += 1;
      });
    });
    if (usable.length === 0) throw emptyDataset(options, chosen.length);
    const members = Uint32Array.from(usable);
    const { train, test } = trainTestSplit(members.length, options.testFraction, options.seed);
    const draft: DatasetDraft = {
      nTrain: train.length,
      nValidation: test.length,
      terms: totals,
      flow: flowOf(study, options, chosen.length, members.length),
      withoutAbstract: chosen.length - members.length,
      undecided,
      flagged,
      sample,
    };
    return { draft, members, places: placesOf(train, test) };
  }

  /** Every text to train on against every held-out one. */
  function* nearCopies(options: FreezeOptions, { members, places }: Composed): Steps<NearCopyReport> {
    const copies = new NearCopies();
    const part = (held: boolean) => members.filter((_, ordinal) => isHeld(places, ordinal) === held);
    const found: NearCopy[] = [];
    yield* inChunks(part(true), 'reading held-out texts', (c) => copies.hold(c.id, textOf(c, options)));
    yield* inChunks(part(false), 'comparing with held-out texts', (c) => {
      found.push(...copies.find(c.id, textOf(c, options)));
    });
    found.sort((a, b) => b.similarity - a.similarity || a.held - b.held);
    return {
      threshold: copies.threshold,
      heldOut: new Set(found.map(({ held }) => held)).size,
      pairs: found.length,
      examples: found.slice(0, EXAMPLES).map(({ held, other, similarity }) => ({
        train: brandId(RecordId, other),
        validation: brandId(RecordId, held),
        similarity,
      })),
    };
  }

  function* freezeSteps(options: FreezeOptions, jobId: number | null): Steps<Dataset> {
    const composed = yield* compose(options);
    const { draft, members, places } = composed;
    const report = yield* nearCopies(options, composed);
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
    const hash = createHash('sha256');
    let ordinal = 0;
    for (let at = 0; at < members.length; at += CHUNK) {
      const rows = selectCandidates.all(JSON.stringify([...members.subarray(at, at + CHUNK)]));
      db.transaction(() => {
        for (const candidate of rows) {
          const { split, position } = placeOf(places, ordinal);
          const text = textOf(candidate, options);
          const bytes = Buffer.from(text, 'utf8');
          hash.update(`${split} ${position} ${bytes.byteLength}\n`).update(bytes);
          insertMember.run(id, ordinal, candidate.id, split, position, text);
          ordinal++;
        }
      })();
      yield { done: ordinal, total: members.length, doing: 'writing' };
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
    preview: (options) => atOnce(compose(options)).draft,
    previewSteps: function* (options) {
      return (yield* compose(options)).draft;
    },
    nearCopySteps: function* (options) {
      return yield* nearCopies(options, yield* compose(options));
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

function emptyDataset(options: FreezeOptions, chosen: number): UserInputError {
  const which = options.query === '' ? 'No record' : `No record that matches "${options.query}"`;
  const why = options.includeUndecided ? 'is included or undecided' : 'is included';
  return new UserInputError(
    'DATASET_EMPTY',
    `${which} ${why} and has an abstract${chosen > 0 ? ` (${chosen} without one)` : ''}, so there is nothing to train on.`,
    'Include records, or widen the query.',
  );
}

function textOf(candidate: Candidate, options: FreezeOptions): string {
  return options.text === 'abstract' || candidate.title.trim() === ''
    ? candidate.abstract
    : `${candidate.title}\n${candidate.abstract}`;
}

/** For each member its place in the permutation of its part; held-out ones as −1 − place. */
function placesOf(train: Int32Array, test: Int32Array): Int32Array {
  const places = new Int32Array(train.length + test.length);
  train.forEach((ordinal, position) => (places[ordinal] = position));
  test.forEach((ordinal, position) => (places[ordinal] = -1 - position));
  return places;
}

function isHeld(places: Int32Array, ordinal: number): boolean {
  return (places[ordinal] ?? 0) < 0;
}

function placeOf(places: Int32Array, ordinal: number): Pick<DatasetMember, 'split'> & { position: number } {
  const place = places[ordinal] ?? 0;
  return place < 0 ? { split: 'validation', position: -1 - place } : { split: 'train', position: place };
}

/** The study's flow, carried on to this version: what is left out of it is excluded with its reason. */
function flowOf(study: FlowCount, options: FreezeOptions, chosen: number, used: number): FlowCount {
  const eligible = study.included + (options.includeUndecided ? study.undecided : 0);
  const added = [
    { reason: `Not found by "${options.query}"`, count: eligible - chosen },
    { reason: 'No abstract', count: chosen - used },
  ].filter((r) => r.count > 0);
  const reasons = new Map<string, number>();
  for (const { reason, count } of [...study.excludedByReason, ...added]) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  }
  return {
    ...study,
    excluded: study.excluded + eligible - used,
    excludedByReason: [...reasons].map(([reason, count]) => ({ reason, count })),
    undecided: options.includeUndecided ? 0 : study.undecided,
    included: used,
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
