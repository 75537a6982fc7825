import { z } from 'zod';
import type { RecordFilter } from '../../../shared/contracts/index.ts';
import type { FlowCount, RecordRow } from '../../../shared/domain/index.ts';
import { DECISIONS, Decision, RecordFlag, RecordId } from '../../../shared/domain/index.ts';
import { json, query } from '../rows.ts';
import { type StoreContext } from './base.ts';
import { type FacetName, conditionsOf } from './filter.ts';
import type { TermRepository } from './terms.ts';

interface RecordPage {
  /** Records that pass the filter. */
  readonly total: number;
  /** Records there are without it. */
  readonly all: number;
  readonly terms: string[];
  readonly rows: RecordRow[];
}

/** Counts per value, each facet under all filters but its own. */
interface Facets {
  readonly decisions: { value: Decision; count: number }[];
  readonly years: { year: number; count: number }[];
  readonly terms: { term: string; articles: number }[];
  readonly publicationTypes: { value: string; count: number }[];
}

export interface CurationRepository {
  /** A page of the filtered list: newest year first, then by title. */
  page(filter: RecordFilter, offset: number, limit: number): RecordPage;
  /** Ids of all records that pass the filter, in the order of the list. */
  ids(filter: RecordFilter): RecordId[];
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
const IdRow = z.object({ id: RecordId });
const Count = z.object({ n: z.number() });
const ReasonCount = z.object({ decision: Decision, reason: z.string().nullable(), n: z.number() });
const SourceSums = z.object({ read: z.number(), rejected: z.number() });

const FROM = 'FROM record r LEFT JOIN decision d ON d.record_id = r.id';
const ORDER = 'ORDER BY r.year DESC, r.title COLLATE NOCASE, r.id';

export function createCurationRepository({ db }: StoreContext, terms: TermRepository): CurationRepository {
  const selectRows = query<[string], typeof ListRow>(
    db,
    `SELECT r.id, r.pmid, r.title, r.journal, r.year, coalesce(d.decision, 'undecided') AS decision, d.reason,
       r.flags, r.duplicate_of AS duplicateOf,
       1 + (SELECT count(*) FROM record c WHERE c.duplicate_of = coalesce(r.duplicate_of, r.id)) AS copies
     FROM json_each(?) page JOIN record r ON r.id = page.value LEFT JOIN decision d ON d.record_id = r.id
     ORDER BY page.key`,
    ListRow,
  );
  const filtered = <S extends z.ZodType>(
    filter: RecordFilter,
    schema: S,
    parts: { select: string; join?: string; tail?: string; without?: FacetName; params?: readonly number[] },
  ): z.output<S>[] => {
    const { sql, params } = conditionsOf(filter, parts.without);
    const text = `SELECT ${parts.select} ${FROM} ${parts.join ?? ''} WHERE ${sql} ${parts.tail ?? ''}`;
    return query<(string | number)[], S>(db, text, schema).all(...params, ...(parts.params ?? []));
  };
  const count = (filter: RecordFilter): number =>
    filtered(filter, Count, { select: 'count(*) AS n' })[0]?.n ?? 0;

  const mentionsOf = (ids: readonly number[], termIds: readonly number[]): Map<number, number[]> => {
    const rows = db
      .prepare<[string, string], { record_id: number; position: number; mentions: number }>(
        `SELECT rt.record_id, t.key AS position, rt.mentions
         FROM json_each(?) t JOIN record_term rt ON rt.term_id = t.value
         WHERE rt.record_id IN (SELECT value FROM json_each(?))`,
      )
      .all(JSON.stringify(termIds), JSON.stringify(ids));
    const mentions = new Map(ids.map((id) => [id, termIds.map(() => 0)]));
    for (const row of rows) {
      const list = mentions.get(row.record_id);
      if (list !== undefined) list[row.position] = row.mentions;
    }
    return mentions;
  };

  return {
    page: (filter, offset, limit) => {
      const active = terms.active();
      const page = filtered(filter, IdRow, {
        select: 'r.id',
        tail: `${ORDER} LIMIT ? OFFSET ?`,
        params: [limit, offset],
      });
      const rows = selectRows.all(JSON.stringify(page.map((r) => r.id)));
      const mentions = mentionsOf(
        rows.map((r) => r.id),
        active.map((t) => t.id),
      );
      return {
        total: count(filter),
        all: count(emptyFilter(filter.hideCopies)),
        terms: active.map((t) => t.text),
        rows: rows.map((row) => ({ ...row, mentions: mentions.get(row.id) ?? [] })),
      };
    },
    ids: (filter) => filtered(filter, IdRow, { select: 'r.id', tail: ORDER }).map((r) => r.id),
    facets: (filter) => {
      const active = terms.active();
      const decided = filtered(filter, z.object({ value: Decision, count: z.number() }), {
        select: `coalesce(d.decision, 'undecided') AS value, count(*) AS count`,
        tail: 'GROUP BY 1',
        without: 'decisions',
      });
      const byTerm = filtered(filter, z.object({ id: z.number(), articles: z.number() }), {
        select: 'rt.term_id AS id, count(*) AS articles',
        join: `JOIN record_term rt ON rt.record_id = r.id AND rt.term_id IN (${active.map((t) => t.id).join(', ')})`,
        tail: 'GROUP BY rt.term_id',
        without: 'terms',
      });
      return {
        decisions: DECISIONS.map((value) => ({
          value,
          count: decided.find((d) => d.value === value)?.count ?? 0,
        })),
        years: filtered(filter, z.object({ year: z.number(), count: z.number() }), {
          select: 'r.year AS year, count(*) AS count',
          tail: 'AND r.year IS NOT NULL GROUP BY r.year ORDER BY r.year',
          without: 'years',
        }),
        terms: active.map((t) => ({
          term: t.text,
          articles: byTerm.find((b) => b.id === t.id)?.articles ?? 0,
        })),
        publicationTypes: filtered(filter, z.object({ value: z.string(), count: z.number() }), {
          select: 'p.value AS value, count(*) AS count',
          join: `JOIN record_publication_type rp ON rp.record_id = r.id
            JOIN publication_type p ON p.id = rp.publication_type_id`,
          tail: 'GROUP BY p.id ORDER BY count(*) DESC, p.value LIMIT 100',
          without: 'publicationTypes',
        }),
      };
    },
    flow: () => {
      const sums = query<[], typeof SourceSums>(
        db,
        `SELECT coalesce(sum(n_read), 0) AS read, coalesce(sum(n_rejected), 0) AS rejected FROM source`,
        SourceSums,
      ).get();
      const rows = query<[], typeof ReasonCount>(
        db,
        `SELECT coalesce(d.decision, 'undecided') AS decision, d.reason, count(*) AS n ${FROM}
         WHERE r.duplicate_of IS NULL GROUP BY 1, 2 ORDER BY n DESC, d.reason`,
        ReasonCount,
      ).all();
      const sum = (decision?: Decision) =>
        rows.filter((r) => decision === undefined || r.decision === decision).reduce((n, r) => n + r.n, 0);
      return {
        read: sums?.read ?? 0,
        rejected: sums?.rejected ?? 0,
        // What was read and not rejected either stands for itself or is a copy, however groups changed since.
        duplicates: (sums?.read ?? 0) - (sums?.rejected ?? 0) - sum(),
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

function emptyFilter(hideCopies: boolean): RecordFilter {
  return {
    query: '',
    decisions: [],
    yearFrom: null,
    yearTo: null,
    terms: [],
    publicationTypes: [],
    hideCopies,
  };
}
