import type { Database } from 'better-sqlite3';
import type { RecordFilter } from '../../../shared/contracts/index.ts';
import { DECISIONS } from '../../../shared/domain/index.ts';
import { parseSearch } from '../search-query.ts';
import type { Decisions, Records } from './columns.ts';
import type { ListFacet } from './facet-lists.ts';
import type { IdLists } from './lists.ts';
import type { Postings } from './postings.ts';
import { searchMarks } from './search.ts';
import { recordsWith, type SubjectColumns, subjectNumbers } from './subjects.ts';

/** What a selection is made from. Lists are loaded when first asked for. */
export interface IndexSource {
  readonly db: Database;
  readonly postings: Postings;
  readonly records: Records;
  readonly decisions: Decisions;
  readonly lists: (facet: ListFacet) => IdLists;
  readonly subjects: () => SubjectColumns;
  /** What fails before any filter: see `baseMarks`. */
  readonly base: (hideCopies: boolean) => Uint16Array;
}

/** One bit a condition: a record passes when none is set. */
const BITS = {
  copies: 1,
  query: 2,
  decisions: 4,
  years: 8,
  terms: 16,
  publicationTypes: 32,
  journals: 64,
  languages: 128,
  sources: 256,
  flags: 512,
  absent: 1024,
  mesh: 2048,
  keywords: 4096,
} as const;
export type FacetName = Exclude<keyof typeof BITS, 'absent' | 'copies' | 'query' | 'mesh' | 'keywords'>;

/** Facets whose values are numbers, several a record. */
const SUBJECTS = [
  ['mesh', 'mesh'],
  ['keywords', 'keyword'],
] as const;

const LISTED: readonly ListFacet[] = [
  'terms',
  'publicationTypes',
  'journals',
  'languages',
  'sources',
  'flags',
];

/** Records that pass a filter, and how many would for each value of a facet. */
export interface Selection {
  /** In the order of the list. */
  readonly ids: Uint32Array;
  /** How many of some records pass all conditions but those on a facet. */
  count(facet: FacetName, ids: Uint32Array): number;
  /** The same for each decision, in the order of DECISIONS. */
  decisions(): number[];
  /** How many records have each heading and keyword, by number: under all conditions but those on its kind. */
  subjects(): Uint32Array;
}

/** Marks ids without a record, and copies where they are hidden; by id. */
export function baseMarks({ size, present, copies }: Records, hideCopies: boolean): Uint16Array {
  const marks = new Uint16Array(size);
  for (let id = 0; id < size; id++) {
    if (present[id] === 0) marks[id] = BITS.absent;
    else if (hideCopies && copies[id] === 1) marks[id] = BITS.copies;
  }
  return marks;
}

/**
 * Applies a filter to all records at once: every condition marks those that fail it with its bit, so that
 * each facet can be counted under all conditions but its own. Plain loops over typed arrays: they run a million times
 * in a function that is called a few times, before an iterator would be compiled away. Time grows with the records, not with what is found.
 */
export function selectRecords(source: IndexSource, filter: RecordFilter): Selection {
  const { records, decisions } = source;
  const { size, order } = records;
  const failed = source.base(filter.hideCopies).slice();

  const failAllBut = (bit: number, lists: readonly Uint32Array[]): void => {
    for (let id = 0; id < size; id++) failed[id] = (failed[id] ?? 0) | bit;
    for (const list of lists) {
      for (let i = 0; i < list.length; i++) {
        const id = list[i] ?? 0;
        if (id < size) failed[id] = (failed[id] ?? 0) & ~bit;
      }
    }
  };

  const failUnmarked = (bit: number, marks: Uint8Array): void => {
    for (let id = 0; id < size; id++) if (marks[id] !== 1) failed[id] = (failed[id] ?? 0) | bit;
  };

  const node = parseSearch(filter.query);
  if (node !== null) failUnmarked(BITS.query, searchMarks(source.db, source.postings, node, size));
  if (filter.decisions.length > 0) {
    const wanted = DECISIONS.map((decision) => filter.decisions.includes(decision));
    for (let id = 0; id < size; id++) {
      if (wanted[decisions.values[id] ?? 0] !== true) failed[id] = (failed[id] ?? 0) | BITS.decisions;
    }
  }
  if (filter.yearFrom !== null || filter.yearTo !== null) {
    const [from, to] = [filter.yearFrom ?? -Infinity, filter.yearTo ?? Infinity];
    const within = [...records.years].filter(([year]) => Number(year) >= from && Number(year) <= to);
    failAllBut(
      BITS.years,
      within.map(([, ids]) => ids),
    );
  }
  for (const facet of LISTED) {
    const wanted = filter[facet].map(String);
    if (wanted.length === 0) continue;
    const lists = source.lists(facet);
    failAllBut(
      BITS[facet],
      wanted.flatMap((value) => lists.get(value) ?? []),
    );
  }
  for (const [facet, kind] of SUBJECTS) {
    if (filter[facet].length === 0) continue;
    const having = recordsWith(source.subjects(), subjectNumbers(source.db, kind, filter[facet]));
    failUnmarked(BITS[facet], having);
  }

  const ids = new Uint32Array(order.length);
  let n = 0;
  for (let place = 0; place < order.length; place++) {
    const id = order[place] ?? 0;
    if (failed[id] === 0) ids[n++] = id;
  }

  return {
    ids: ids.slice(0, n),
    count: (facet, list) => {
      const others = ~BITS[facet];
      let passing = 0;
      for (let i = 0; i < list.length; i++) {
        const id = list[i] ?? 0;
        if (id < size && ((failed[id] ?? BITS.absent) & others) === 0) passing++;
      }
      return passing;
    },
    decisions: () => {
      const counts = DECISIONS.map(() => 0);
      for (let id = 0; id < size; id++) {
        if (((failed[id] ?? BITS.absent) & ~BITS.decisions) !== 0) continue;
        const value = decisions.values[id] ?? 0;
        counts[value] = (counts[value] ?? 0) + 1;
      }
      return counts;
    },
    subjects: () => {
      const { starts, numbers, mesh } = source.subjects();
      const counts = new Uint32Array(mesh.length);
      for (let id = 0; id < size; id++) {
        const marks = failed[id] ?? BITS.absent;
        const [asMesh, asKeyword] = [(marks & ~BITS.mesh) === 0, (marks & ~BITS.keywords) === 0];
        if (!asMesh && !asKeyword) continue;
        const end = starts[id + 1] ?? 0;
        for (let at = starts[id] ?? 0; at < end; at++) {
          const number = numbers[at] ?? 0;
          if (marks === 0 || (mesh[number] === 1 ? asMesh : asKeyword))
            counts[number] = (counts[number] ?? 0) + 1;
        }
      }
      return counts;
    },
  };
}
