import { z } from 'zod';
import type { RecordFilter } from '../../../shared/contracts/index.ts';
import type { FlowCount, RecordRow, SourceId } from '../../../shared/domain/index.ts';
import { DECISIONS, Decision, RecordFlag, RecordId } from '../../../shared/domain/index.ts';
import type { FacetName, ListFacet, RecordIndex, Selection } from '../record-index/index.ts';
import { json, query } from '../rows.ts';
import type { SubjectKind } from '../subjects.ts';
import { type StoreContext, brandId } from './base.ts';
import type { TermRepository } from './terms.ts';

interface RecordPage {
  /** Records that pass the filter. */
  readonly total: number;
  /** Records there are without it. */
  readonly all: number;
  readonly terms: string[];
  readonly rows: RecordRow[];
}

interface ValueCount {
  readonly value: string;
  readonly count: number;
}

/** Counts per value, each facet under all filters but its own. */
interface Facets {
  readonly decisions: { value: Decision; count: number }[];
  readonly years: { year: number; count: number }[];
  readonly terms: { term: string; articles: number }[];
  readonly publicationTypes: ValueCount[];
  readonly journals: ValueCount[];
  readonly languages: ValueCount[];
  readonly mesh: ValueCount[];
  readonly keywords: ValueCount[];
  readonly sources: { id: SourceId; name: string; count: number }[];
  readonly flags: { value: RecordFlag; count: number }[];
}

export interface CurationRepository {
  /** A page of the filtered list: newest year first, then by title. */
  page(filter: RecordFilter, offset: number, limit: number): RecordPage;
  /** Ids of all records that pass the filter, in the order of the list. */
  ids(filter: RecordFilter): RecordId[];
  /** The same as plain numbers, a million at once. */
  select(filter: RecordFilter): Uint32Array;
  facets(filter: RecordFilter): Facets;
  flow(): FlowCount;
}

const ListRow = z.object({
  id: RecordId,
  pmid: z.string().nullable(),
  title: z.string(),
  journal: z.string(),
  year: z.number().nullable(),
  decision: Decision,
  reason: z.string().nullable(),
  flags: json(z.array(RecordFlag)),
  copies: z.number(),
  duplicateOf: RecordId.nullable(),
});
const SourceSums = z.object({ read: z.number(), rejected: z.number() });

/** Values shown of a facet that may have thousands. */
const MOST_VALUES: Readonly<Partial<Record<ListFacet, number>>> = {
  publicationTypes: 100,
  journals: 50,
  languages: 50,
};
const MOST_SUBJECTS = 50;

export function createCurationRepository(
  { db }: StoreContext,
  terms: TermRepository,
  index: RecordIndex,
): CurationRepository {
  const selectRows = query<[string], typeof ListRow>(
    db,
    `SELECT r.id, r.pmid, r.title, r.journal, r.year, coalesce(d.decision, 'undecided') AS decision, d.reason,
       r.flags, r.duplicate_of AS duplicateOf,
       1 + (SELECT count(*) FROM record c WHERE c.duplicate_of = coalesce(r.duplicate_of, r.id)) AS copies
     FROM json_each(?) page JOIN record r ON r.id = page.value LEFT JOIN decision d ON d.record_id = r.id
     ORDER BY page.key`,
    ListRow,
  );
  const sums = query<[], typeof SourceSums>(
    db,
    'SELECT coalesce(sum(n_read), 0) AS read, coalesce(sum(n_rejected), 0) AS rejected FROM source',
    SourceSums,
  );
  const selectSources = db.prepare<[], { id: SourceId; name: string }>(
    'SELECT id, name FROM source ORDER BY id',
  );
  const selectSubjects = db.prepare<[string], { id: number; value: string }>(
    'SELECT id, value FROM subject WHERE id IN (SELECT value FROM json_each(?))',
  );
  const selectMentions = db.prepare<
    [string, string],
    { record_id: number; position: number; mentions: number }
  >(
    `SELECT rt.record_id, t.key AS position, rt.mentions
     FROM json_each(?) t CROSS JOIN json_each(?) p
       JOIN record_term rt ON rt.term_id = t.value AND rt.record_id = p.value`,
  );

  const mentionsOf = (ids: readonly number[], termIds: readonly number[]): Map<number, number[]> => {
    const rows = selectMentions.all(JSON.stringify(termIds), JSON.stringify(ids));
    const mentions = new Map(ids.map((id) => [id, termIds.map(() => 0)]));
    for (const row of rows) {
      const list = mentions.get(row.record_id);
      if (list !== undefined) list[row.position] = row.mentions;
    }
    return mentions;
  };

  /** Values with how many records have them, most frequent first; those in the filter are always there. */
  const counted = (
    facet: ListFacet & FacetName,
    selection: Selection,
    wanted: readonly string[],
  ): ValueCount[] =>
    [...index.lists(facet)]
      .map(([value, ids]) => ({ value, count: selection.count(facet, ids) }))
      .filter(({ value, count }) => count > 0 || wanted.includes(value))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .filter(({ value }, place) => place < (MOST_VALUES[facet] ?? Infinity) || wanted.includes(value));

  /** The same of headings and keywords. */
  const subjects = (selection: Selection, filter: RecordFilter): Pick<Facets, 'mesh' | 'keywords'> => {
    const counts = selection.subjects();
    const named = (kind: SubjectKind, wanted: readonly string[]): ValueCount[] => {
      const numbers = index.frequentSubjects(counts, kind, MOST_SUBJECTS, wanted);
      return selectSubjects
        .all(JSON.stringify([...numbers]))
        .map(({ id, value }) => ({ value, count: counts[id] ?? 0 }))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
    };
    return { mesh: named('mesh', filter.mesh), keywords: named('keyword', filter.keywords) };
  };

  return {
    page: (filter, offset, limit) => {
      const active = terms.active();
      const { ids } = index.select(filter);
      const rows = selectRows.all(JSON.stringify([...ids.subarray(offset, offset + limit)]));
      const mentions = mentionsOf(
        rows.map((r) => r.id),
        active.map((t) => t.id),
      );
      return {
        total: ids.length,
        all: index.count(filter.hideCopies),
        terms: active.map((t) => t.text),
        rows: rows.map((row) => ({ ...row, mentions: mentions.get(row.id) ?? [] })),
      };
    },
    ids: (filter) => Array.from(index.select(filter).ids, (id) => brandId(RecordId, id)),
    select: (filter) => index.select(filter).ids,
    facets: (filter) => {
      const selection = index.select(filter);
      const decided = selection.decisions();
      const byTerm = index.lists('terms');
      const bySource = index.lists('sources');
      const byFlag = index.lists('flags');
      return {
        decisions: DECISIONS.map((value, i) => ({ value, count: decided[i] ?? 0 })),
        years: [...index.years()]
          .map(([year, ids]) => ({ year: Number(year), count: selection.count('years', ids) }))
          .filter(({ count }) => count > 0)
          .sort((a, b) => a.year - b.year),
        terms: terms.active().map(({ text }) => ({
          term: text,
          articles: selection.count('terms', byTerm.get(text) ?? new Uint32Array()),
        })),
        publicationTypes: counted('publicationTypes', selection, filter.publicationTypes),
        journals: counted('journals', selection, filter.journals),
        languages: counted('languages', selection, filter.languages),
        ...subjects(selection, filter),
        sources: selectSources.all().map(({ id, name }) => ({
          id,
          name,
          count: selection.count('sources', bySource.get(String(id)) ?? new Uint32Array()),
        })),
        flags: RecordFlag.options
          .map((value) => ({
            value,
            count: selection.count('flags', byFlag.get(value) ?? new Uint32Array()),
          }))
          .filter(({ value, count }) => count > 0 || filter.flags.includes(value)),
      };
    },
    flow: () => {
      const rows = index.decided();
      const { read, rejected } = sums.get() ?? { read: 0, rejected: 0 };
      const sum = (decision?: Decision) =>
        rows.filter((r) => decision === undefined || r.decision === decision).reduce((n, r) => n + r.n, 0);
      return {
        read,
        rejected,
        // What was read and not rejected either stands for itself or is a copy, however groups changed since.
        duplicates: read - rejected - sum(),
        screened: sum(),
        excluded: sum('exclude'),
        excludedByReason: rows
          .filter((r) => r.decision === 'exclude')
          .map((r) => ({ reason: r.reason ?? 'No reason given', count: r.n })),
        maybe: sum('maybe'),
        undecided: sum('undecided'),
        included: sum('include'),
      };
    },
  };
}
