import type { Database } from 'better-sqlite3';
import { type IdLists, idsFrom, loadLists, spread } from './lists.ts';

/** Facets whose values are lists of ids. */
export type ListFacet = 'terms' | 'publicationTypes' | 'journals' | 'languages' | 'sources' | 'flags';
type StoredFacet = Exclude<ListFacet, 'terms'>;

/** Queries for values and the ids that have them: of all records, and of those from an id on. */
interface ListQueries {
  readonly all: string;
  readonly from: string;
}

/** The unary plus keeps SQLite from walking the whole index of the column for a few records. */
function ofColumn(column: string, condition = '1'): ListQueries {
  const select = `SELECT ${column} AS value, json_group_array(id) AS ids FROM record WHERE ${condition}`;
  return { all: `${select} GROUP BY ${column}`, from: `${select} AND id >= ? GROUP BY +${column}` };
}

function ofTypes(condition: string): string {
  return `SELECT p.value AS value, (SELECT json_group_array(t.record_id) FROM record_publication_type t
    WHERE t.publication_type_id = p.id${condition}) AS ids FROM publication_type p`;
}

const QUERIES: Readonly<Record<StoredFacet, ListQueries>> = {
  publicationTypes: { all: ofTypes(''), from: ofTypes(' AND t.record_id >= ?') },
  journals: ofColumn('journal'),
  languages: ofColumn('language'),
  sources: ofColumn('source_id'),
  flags: ofColumn('flags', "flags <> '[]'"),
};

/** The lists of a facet, kept until its records change, and grown when records come. */
export interface FacetLists {
  get(facet: ListFacet): IdLists;
  /** Takes in records from an id on. */
  grow(from: number): void;
  forget(facet: StoredFacet): void;
  clear(): void;
}

export function createFacetLists(
  db: Database,
  terms: () => readonly { readonly id: number; readonly text: string }[],
): FacetLists {
  const lists = new Map<StoredFacet, IdLists>();
  const termLists = new Map<number, Uint32Array>();

  const load = (facet: StoredFacet, from: number | null): Map<string, Uint32Array> => {
    const { all, from: some } = QUERIES[facet];
    const loaded = from === null ? loadLists(db, all) : loadLists(db, some, from);
    return facet === 'flags' ? spread(loaded) : loaded;
  };
  const termIds = (id: number, from: number): Uint32Array =>
    idsFrom(
      db
        .prepare<[number, number], string>(
          'SELECT json_group_array(record_id) FROM record_term WHERE term_id = ? AND record_id >= ?',
        )
        .pluck()
        .get(id, from) ?? '[]',
    );
  const termList = (id: number): Uint32Array => {
    const known = termLists.get(id) ?? termIds(id, 0);
    termLists.set(id, known);
    return known;
  };

  return {
    get: (facet) => {
      // Terms come and go with the user's list; each one's records are kept apart.
      if (facet === 'terms') return new Map(terms().map(({ id, text }) => [text, termList(id)]));
      const known = lists.get(facet) ?? load(facet, null);
      lists.set(facet, known);
      return known;
    },
    grow: (from) => {
      for (const [facet, known] of lists) lists.set(facet, joined(known, load(facet, from)));
      for (const [id, known] of termLists) termLists.set(id, concatenated(known, termIds(id, from)));
    },
    forget: (facet) => {
      lists.delete(facet);
    },
    clear: () => {
      lists.clear();
      termLists.clear();
    },
  };
}

/** Lists with what further ones add to them. */
export function joined(lists: IdLists, more: IdLists): IdLists {
  const all = new Map(lists);
  for (const [value, ids] of more) all.set(value, concatenated(all.get(value) ?? new Uint32Array(), ids));
  return all;
}

function concatenated(first: Uint32Array, second: Uint32Array): Uint32Array {
  if (second.length === 0) return first;
  const both = new Uint32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
