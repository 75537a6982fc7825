import type { Database } from 'better-sqlite3';
import type { RecordFilter } from '../../../shared/contracts/index.ts';
import { DECISIONS, type Decision } from '../../../shared/domain/index.ts';
import type { SubjectKind, SubjectPacker } from '../subjects.ts';
import { type Decisions, loadDecisions, loadRecords, type Records, refreshDecisions } from './columns.ts';
import { createFacetLists, type ListFacet } from './facet-lists.ts';
import { grownDecisions, grownRecords } from './growth.ts';
import type { IdLists } from './lists.ts';
import { createPostings } from './postings.ts';
import { baseMarks, type Selection, selectRecords } from './selection.ts';
import { loadSubjects, mostFrequent, NO_SUBJECTS, type SubjectColumns, subjectNumbers } from './subjects.ts';
import { watchChanges } from './watch.ts';

export type { ListFacet } from './facet-lists.ts';
export type { FacetName, Selection } from './selection.ts';

/** Selections kept: the list, its facets and the pages around a place ask for the same few. */
const KEPT_SELECTIONS = 4;
/** More decisions at once are read anew as a whole. */
const MOST_ROWS = 5_000;
interface DecisionCount {
  readonly decision: Decision;
  readonly reason: string | null;
  readonly n: number;
}

/**
 * Which record has which value, in memory: about 30 bytes a record, and 4 for each of its headings and keywords.
 * Lists, facets and counts of a million records are made from it in tens of milliseconds, whatever the filter; rows
 * are read from the database by id. Writes to the study are noted and read before the next answer; records that came
 * are put in their places.
 */
export interface RecordIndex {
  select(filter: RecordFilter): Selection;
  lists(facet: ListFacet): IdLists;
  years(): IdLists;
  /** The headings or keywords with the highest counts of `Selection.subjects`, and those asked for by name. */
  frequentSubjects(
    counts: Uint32Array,
    kind: SubjectKind,
    most: number,
    also: readonly string[],
  ): ReadonlySet<number>;
  /** Records in all, or without copies. */
  count(hideCopies: boolean): number;
  /** Decisions and their reasons on records that are not copies, most frequent first. */
  decided(): DecisionCount[];
}

export function createRecordIndex(
  db: Database,
  terms: () => readonly { readonly id: number; readonly text: string }[],
  packer: SubjectPacker,
): RecordIndex {
  const changes = watchChanges(db);
  let records: Records = {
    order: new Uint32Array(),
    size: 0,
    present: new Uint8Array(),
    copies: new Uint8Array(),
    years: new Map(),
  };
  let standing: number | null = null;
  let totals: DecisionCount[] | null = null;
  let decisions: Decisions = { values: new Uint8Array(), reasons: new Uint16Array(), words: [''] };
  let subjects: SubjectColumns = NO_SUBJECTS;
  const lists = createFacetLists(db, terms);
  const postings = createPostings(db, 'record_text_index');
  const selections = new Map<string, Selection>();
  const bases = new Map<boolean, Uint16Array>();

  /** What was read inside a transaction may be rolled back: it stays noted, and all is read again. */
  const settled = (reloaded: boolean): void => {
    if (db.inTransaction) return;
    if (reloaded) {
      changes.records = false;
      changes.added = null;
    }
    changes.flags = false;
    changes.decisions.clear();
    changes.copies.clear();
  };

  const forgetAnswers = (): void => {
    selections.clear();
    bases.clear();
    standing = null;
    totals = null;
  };

  const reload = (): void => {
    records = loadRecords(db);
    decisions = loadDecisions(db, records.size);
    subjects = NO_SUBJECTS;
    lists.clear();
    forgetAnswers();
    settled(true);
  };

  /** Takes in records that came. False where all is to be read anew instead. */
  const grow = (): boolean => {
    const from = records.size;
    if (changes.added === null) return true;
    if (changes.added < from || from === 0 || db.inTransaction) return false;
    const grown = grownRecords(db, records);
    if (grown === null) return false;
    records = grown;
    decisions = grownDecisions(decisions, records.size);
    lists.grow(from);
    forgetAnswers();
    changes.added = null;
    return true;
  };

  /** Takes in what changed since the last answer. */
  const current = (): void => {
    if (changes.records || !grow()) {
      reload();
      return;
    }
    if (changes.flags) {
      lists.forget('flags');
      selections.clear();
    }
    if (changes.copies.size > 0) {
      const group = db
        .prepare<[number], number | null>('SELECT duplicate_of FROM record WHERE id = ?')
        .pluck();
      for (const id of changes.copies) {
        if (id < records.size) records.copies[id] = (group.get(id) ?? null) === null ? 0 : 1;
      }
      forgetAnswers();
    }
    if (changes.decisions.size > 0) {
      const known = [...changes.decisions].filter((id) => id < records.size);
      if (known.length > MOST_ROWS) decisions = loadDecisions(db, records.size);
      else refreshDecisions(db, decisions, known);
      totals = null;
      selections.clear();
    }
    settled(false);
  };

  /** Headings and keywords are read when they are first asked for. */
  const subjectColumns = (): SubjectColumns => {
    if (subjects.size < records.size) {
      packer.complete();
      subjects = loadSubjects(db, records.size, subjects);
    }
    return subjects;
  };

  const base = (hideCopies: boolean): Uint16Array => {
    const known = bases.get(hideCopies) ?? baseMarks(records, hideCopies);
    bases.set(hideCopies, known);
    return known;
  };

  return {
    select: (filter) => {
      current();
      const key = JSON.stringify([filter, filter.terms.length > 0 ? terms() : null]);
      const known =
        selections.get(key) ??
        selectRecords(
          {
            db,
            postings,
            records,
            decisions,
            lists: (facet) => lists.get(facet),
            subjects: subjectColumns,
            base,
          },
          filter,
        );
      selections.delete(key);
      selections.set(key, known);
      const [oldest] = selections.keys();
      if (selections.size > KEPT_SELECTIONS && oldest !== undefined) selections.delete(oldest);
      return known;
    },
    lists: (facet) => {
      current();
      return lists.get(facet);
    },
    years: () => {
      current();
      return records.years;
    },
    frequentSubjects: (counts, kind, most, also) =>
      mostFrequent(subjectColumns(), counts, kind, most, subjectNumbers(db, kind, also)),
    count: (hideCopies) => {
      current();
      if (!hideCopies) return records.order.length;
      if (standing === null) {
        standing = 0;
        for (let id = 0; id < records.size; id++) {
          if (records.present[id] === 1 && records.copies[id] === 0) standing++;
        }
      }
      return standing;
    },
    decided: () => {
      current();
      if (totals !== null) return totals;
      const counts = new Uint32Array(DECISIONS.length * decisions.words.length);
      for (let id = 0; id < records.size; id++) {
        if (records.present[id] === 0 || records.copies[id] === 1) continue;
        const key = (decisions.values[id] ?? 0) + DECISIONS.length * (decisions.reasons[id] ?? 0);
        counts[key] = (counts[key] ?? 0) + 1;
      }
      totals = Array.from(counts, (n, key) => ({
        decision: DECISIONS[key % DECISIONS.length] ?? 'undecided',
        reason: decisions.words[Math.floor(key / DECISIONS.length)] || null,
        n,
      }))
        .filter(({ n }) => n > 0)
        .sort((a, b) => b.n - a.n || (a.reason ?? '').localeCompare(b.reason ?? ''));
      return totals;
    },
  };
}
