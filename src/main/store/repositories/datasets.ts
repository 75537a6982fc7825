import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Dataset, DatasetMember } from '../../../shared/domain/index.ts';
import {
  DatasetId,
  DatasetSplit,
  Decision,
  FlowCount,
  FreezeOptions,
  RecordFlag,
  RecordId,
  TermCount,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { termStatistics } from '../../../shared/text/index.ts';
import { trainTestSplit } from '../../engine/random/index.ts';
import { json, now, query } from '../rows.ts';
import { parseSearch, searchCondition } from '../search-query.ts';
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
}

export interface DatasetRepository {
  list(): Dataset[];
  get(id: DatasetId): Dataset;
  /** By number or by name (its newest version); undefined when there is none. */
  find(name: string): Dataset | undefined;
  /** Throws UserInputError `DATASET_EMPTY` or `SPLIT_TOO_SMALL`. */
  preview(options: FreezeOptions): DatasetDraft;
  /**
   * Stores an immutable version. Members are in the order in which records were added; `train` and
   * `validation` are those of scikit-learn's `train_test_split` over that order.
   */
  freeze(options: FreezeOptions): Dataset;
  /** Members of one part in the order of the split's permutation, or all in record order. */
  members(id: DatasetId, split?: z.infer<typeof DatasetSplit>): DatasetMember[];
  count(): number;
}

type Member = Omit<DatasetMember, 'recordId'> & { recordId: RecordId; position: number };

export function createDatasetRepository(
  { db }: StoreContext,
  curation: CurationRepository,
  terms: TermRepository,
): DatasetRepository {
  const selectAll = query<[], typeof Row>(db, 'SELECT * FROM dataset ORDER BY id', Row);
  const select = query<[number], typeof Row>(db, 'SELECT * FROM dataset WHERE id = ?', Row);
  const selectNamed = query<[string, string], typeof Row>(
    db,
    'SELECT * FROM dataset WHERE name = ? OR CAST(id AS TEXT) = ? ORDER BY version DESC, id DESC LIMIT 1',
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
     VALUES (?, 1 + (SELECT coalesce(max(version), 0) FROM dataset WHERE name = ?), ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertMember = db.prepare(
    `INSERT INTO dataset_member (dataset_id, ordinal, record_id, split, position, text) VALUES (?, ?, ?, ?, ?, ?)`,
  );

  const candidates = (options: FreezeOptions) => {
    const node = parseSearch(options.query);
    const search = node === null ? { sql: 'TRUE', params: [] } : searchCondition(node);
    const decisions = options.includeUndecided ? `('include', 'undecided')` : `('include')`;
    return query<(string | number)[], typeof CandidateRow>(
      db,
      `SELECT r.id, r.title, b.abstract, r.flags, coalesce(d.decision, 'undecided') AS decision FROM record r JOIN record_body b ON b.record_id = r.id
         LEFT JOIN decision d ON d.record_id = r.id
       WHERE r.duplicate_of IS NULL AND coalesce(d.decision, 'undecided') IN ${decisions} AND ${search.sql}
       ORDER BY r.id`,
      CandidateRow,
    ).all(...search.params);
  };

  const compose = (options: FreezeOptions) => {
    const chosen = candidates(options);
    const usable = chosen.filter((c) => c.abstract.trim() !== '');
    if (usable.length === 0) throw emptyDataset(options, chosen.length);
    const members = splitMembers(usable, options);
    const flagged: Record<string, number> = {};
    for (const flag of usable.flatMap((c) => c.flags)) flagged[flag] = (flagged[flag] ?? 0) + 1;
    const nValidation = members.filter((m) => m.split === 'validation').length;
    const draft: DatasetDraft = {
      nTrain: members.length - nValidation,
      nValidation,
      terms: termStatistics(
        members.map((m) => m.text),
        terms.active().map((t) => t.text),
      ),
      flow: flowOf(curation.flow(), options, chosen.length, usable.length),
      withoutAbstract: chosen.length - usable.length,
      undecided: usable.filter((c) => c.decision === 'undecided').length,
      flagged,
    };
    return { draft, members };
  };

  return {
    list: () => selectAll.all().map(toDataset),
    get: (id) => toDataset(found(select.get(id), 'dataset', id)),
    find: (name) => {
      const named = selectNamed.get(name, name);
      return named && toDataset(named);
    },
    preview: (options) => compose(options).draft,
    freeze: (options) =>
      db
        .transaction(() => {
          const { draft, members } = compose(options);
          const { lastInsertRowid } = insert.run(
            options.name,
            options.name,
            now(),
            JSON.stringify(options),
            draft.nTrain,
            draft.nValidation,
            JSON.stringify(draft.flow),
            JSON.stringify(draft.terms),
            hashMembers(members),
          );
          const id = brandId(DatasetId, lastInsertRowid);
          for (const m of members) insertMember.run(id, m.ordinal, m.recordId, m.split, m.position, m.text);
          return toDataset(found(select.get(id), 'dataset', id));
        })
        .immediate(),
    members: (id, split) => {
      found(select.get(id), 'dataset', id);
      return split === undefined ? selectMembers.all(id) : selectSplit.all(id, split);
    },
    count: () => Number(db.prepare('SELECT count(*) FROM dataset').pluck().get()),
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

function textOf(candidate: z.output<typeof CandidateRow>, options: FreezeOptions): string {
  return options.text === 'abstract' || candidate.title.trim() === ''
    ? candidate.abstract
    : `${candidate.title}\n${candidate.abstract}`;
}

function splitMembers(usable: readonly z.output<typeof CandidateRow>[], options: FreezeOptions): Member[] {
  const { train, test } = trainTestSplit(usable.length, options.testFraction, options.seed);
  const places = new Map<number, Pick<Member, 'split' | 'position'>>();
  train.forEach((index, position) => places.set(index, { split: 'train', position }));
  test.forEach((index, position) => places.set(index, { split: 'validation', position }));
  return usable.flatMap((candidate, ordinal) => {
    const place = places.get(ordinal);
    return place === undefined
      ? []
      : [{ recordId: candidate.id, ordinal, ...place, text: textOf(candidate, options) }];
  });
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

/** SHA-256 over split, length and text of every member in order. */
function hashMembers(members: readonly Member[]): string {
  const hash = createHash('sha256');
  for (const m of members) {
    const text = Buffer.from(m.text, 'utf8');
    hash.update(`${m.split} ${m.position} ${text.byteLength}\n`).update(text);
  }
  return hash.digest('hex');
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
  };
}
