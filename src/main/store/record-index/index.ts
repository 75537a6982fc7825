import type { Database } from 'better-sqlite3';
import type { RecordFilter } from '../../../shared/contracts/index.ts';
import { DECISIONS, type Decision } from '../../../shared/domain/index.ts';
import { type Decisions, loadDecisions, loadRecords, type Records, refreshDecisions } from './columns.ts';
import { type IdLists, idsFrom, loadLists, spread } from './lists.ts';
import { baseMarks, type ListFacet, type Selection, selectRecords } from './selection.ts';
import { watchChanges } from './watch.ts';

export type { FacetName, ListFacet, Selection } from './selection.ts';

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
 * Which record has which value, in memory: about 30 bytes a record. Lists, facets and counts of a million
 * records are made from it in tens of milliseconds, whatever the filter; rows are read from the database by id.
 * Writes to the study are noted and read before the next answer.
 */
export interface RecordIndex {
  select(filter: RecordFilter): Selection;
  lists(facet: ListFacet): IdLists;
  years(): IdLists;
  /** Records in all, or without copies. */
  count(hideCopies: boolean): number;
  /** Decisions and their reasons on records that are not copies, most frequent first. */
  decided(): DecisionCount[];
}

const SQL: Readonly<Record<Exclude<ListFacet, 'terms' | 'flags'>, string>> = {
  publicationTypes: `SELECT p.value AS value, ids FROM publication_type p JOIN
    (SELECT publication_type_id, json_group_array(record_id) AS ids FROM record_publication_type
     GROUP BY publication_type_id) ON publication_type_id = p.id`,
  journals: 'SELECT journal AS value, json_group_array(id) AS ids FROM record GROUP BY journal',
  languages: 'SELECT language AS value, json_group_array(id) AS ids FROM record GROUP BY language',
  sources: 'SELECT source_id AS value, json_group_array(id) AS ids FROM record GROUP BY source_id',
};

export function createRecordIndex(
  db: Database,
  terms: () => readonly { readonly id: number; readonly text: string }[],
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
  const lists = new Map<ListFacet, IdLists>();
  const termLists = new Map<number, Uint32Array>();
  const selections = new Map<string, Selection>();
  const bases = new Map<boolean, Uint16Array>();

  /** What was read inside a transaction may be rolled back: it stays noted and is read again. */
  const settled = (reloaded: boolean): void => {
    if (db.inTransaction) return;
    if (reloaded) changes.records = false;
    changes.flags = false;
    changes.decisions.clear();
    changes.copies.clear();
  };

  const reload = (): void => {
    records = loadRecords(db);
    decisions = loadDecisions(db, records.size);
    settled(true);
    lists.clear();
    termLists.clear();
    selections.clear();
    bases.clear();
    standing = null;
    totals = null;
  };

  /** Takes in what changed since the last answer. */
  const current = (): void => {
    if (changes.records) {
      reload();
      return;
    }
    if (changes.flags && lists.delete('flags')) selections.clear();
    if (changes.copies.size > 0) {
      const group = db
        .prepare<[number], number | null>('SELECT duplicate_of FROM record WHERE id = ?')
        .pluck();
      for (const id of changes.copies) {
        if (id < records.size) records.copies[id] = (group.get(id) ?? null) === null ? 0 : 1;
      }
      standing = null;
      totals = null;
      bases.clear();
      selections.clear();
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

  const termList = (id: number): Uint32Array => {
    const known =
      termLists.get(id) ??
      idsFrom(
        db
          .prepare<[number], string>('SELECT json_group_array(record_id) FROM record_term WHERE term_id = ?')
          .pluck()
          .get(id) ?? '[]',
      );
    termLists.set(id, known);
    return known;
  };

  const load = (facet: ListFacet): IdLists => {
    if (facet === 'terms') return new Map(terms().map(({ id, text }) => [text, termList(id)]));
    if (facet === 'flags') {
      return spread(
        loadLists(
          db,
          "SELECT flags AS value, json_group_array(id) AS ids FROM record WHERE flags <> '[]' GROUP BY flags",
        ),
      );
    }
    return loadLists(db, SQL[facet]);
  };
  const listsOf = (facet: ListFacet): IdLists => {
    const known = lists.get(facet) ?? load(facet);
    // Terms come and go with the user's list; each one's records are kept apart.
    if (facet !== 'terms') lists.set(facet, known);
    return known;
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
        selections.get(key) ?? selectRecords({ db, records, decisions, lists: listsOf, base }, filter);
      selections.delete(key);
      selections.set(key, known);
      const [oldest] = selections.keys();
      if (selections.size > KEPT_SELECTIONS && oldest !== undefined) selections.delete(oldest);
      return known;
    },
    lists: (facet) => {
      current();
      return listsOf(facet);
    },
    years: () => {
      current();
      return records.years;
    },
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
