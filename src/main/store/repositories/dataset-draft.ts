import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { RecordFilter } from '../../../shared/contracts/index.ts';
import {
  type DatasetMember,
  Decision,
  type FlowCount,
  type FreezeOptions,
  type NearCopyReport,
  RecordFlag,
  RecordId,
  type TermCount,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { NearCopies, type NearCopy, termMatcher } from '../../../shared/text/index.ts';
import { trainTestSplit } from '../../engine/random/index.ts';
import type { RecordIndex } from '../record-index/index.ts';
import { json, query } from '../rows.ts';
import type { Steps } from '../steps.ts';
import { brandId } from './base.ts';
import type { CurationRepository } from './curation.ts';
import type { TermRepository } from './terms.ts';

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

type Candidate = z.output<typeof CandidateRow>;

export interface Composed {
  readonly draft: DatasetDraft;
  /** Record ids in the order in which records were added. */
  readonly members: Uint32Array;
  readonly places: Int32Array;
}

/** Records handled between two pauses, texts kept to measure lengths, near-copies named. */
const CHUNK = 500;
const SAMPLE = 1_000;
const EXAMPLES = 20;

/** Works out what a version would hold, from records as they are. */
export interface DatasetComposer {
  /** Counts what would be frozen, and splits it. */
  compose(options: FreezeOptions): Steps<Composed>;
  /** Every text to train on against every held-out one. */
  nearCopies(options: FreezeOptions, composed: Composed): Steps<NearCopyReport>;
  /** Members in record order, some at a time, each list with its step. */
  chunks(options: FreezeOptions, composed: Composed): Generator<ComposedMember[]>;
}

type ComposedMember = DatasetMember & { readonly position: number };

export function createDatasetComposer(
  db: Database,
  curation: CurationRepository,
  terms: TermRepository,
  index: RecordIndex,
): DatasetComposer {
  const selectCandidates = query<[string], typeof CandidateRow>(
    db,
    `SELECT r.id, r.title, b.abstract, r.flags, coalesce(d.decision, 'undecided') AS decision
     FROM json_each(?) j JOIN record r ON r.id = j.value JOIN record_body b ON b.record_id = r.id
       LEFT JOIN decision d ON d.record_id = r.id
     ORDER BY j.key`,
    CandidateRow,
  );
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

  function* chunks(options: FreezeOptions, { members, places }: Composed): Generator<ComposedMember[]> {
    let ordinal = 0;
    for (let at = 0; at < members.length; at += CHUNK) {
      yield selectCandidates.all(JSON.stringify([...members.subarray(at, at + CHUNK)])).map((candidate) => {
        const place = placeOf(places, ordinal);
        return { recordId: candidate.id, ordinal: ordinal++, ...place, text: textOf(candidate, options) };
      });
    }
  }

  return { compose, nearCopies, chunks };
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
