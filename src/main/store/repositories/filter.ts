import type { RecordFilter } from '../../../shared/contracts/index.ts';
import { type Condition, parseSearch, searchCondition } from '../search-query.ts';

/** Facets whose own filter is left out when their values are counted. */
export type FacetName = 'decisions' | 'years' | 'terms' | 'publicationTypes';

/** Within one facet any of the chosen values passes; all facets must pass. */
const FACETS: readonly { facet?: FacetName; condition: (f: RecordFilter) => Condition | null }[] = [
  { condition: (f) => (f.hideCopies ? { sql: 'r.duplicate_of IS NULL', params: [] } : null) },
  {
    condition: (f) => {
      const node = parseSearch(f.query);
      return node && searchCondition(node);
    },
  },
  {
    facet: 'decisions',
    condition: (f) => anyOf(f.decisions, (list) => `coalesce(d.decision, 'undecided') IN (${list})`),
  },
  {
    facet: 'years',
    condition: (f) => (f.yearFrom === null ? null : { sql: 'r.year >= ?', params: [f.yearFrom] }),
  },
  {
    facet: 'years',
    condition: (f) => (f.yearTo === null ? null : { sql: 'r.year <= ?', params: [f.yearTo] }),
  },
  {
    facet: 'terms',
    condition: (f) =>
      anyOf(
        f.terms,
        (list) =>
          `r.id IN (SELECT rt.record_id FROM record_term rt JOIN term t ON t.id = rt.term_id WHERE t.text IN (${list}))`,
      ),
  },
  {
    facet: 'publicationTypes',
    condition: (f) =>
      anyOf(
        f.publicationTypes,
        (list) =>
          `r.id IN (SELECT rp.record_id FROM record_publication_type rp
             JOIN publication_type p ON p.id = rp.publication_type_id WHERE p.value IN (${list}))`,
      ),
  },
];

/** The filter as one SQL condition over `record r LEFT JOIN decision d`. */
export function conditionsOf(filter: RecordFilter, without?: FacetName): Condition {
  const parts = FACETS.filter((row) => row.facet === undefined || row.facet !== without)
    .map((row) => row.condition(filter))
    .filter((c) => c !== null);
  if (parts.length === 0) return { sql: 'TRUE', params: [] };
  return { sql: parts.map((p) => p.sql).join(' AND '), params: parts.flatMap((p) => p.params) };
}

function anyOf(values: readonly string[], sql: (placeholders: string) => string): Condition | null {
  return values.length === 0 ? null : { sql: sql(values.map(() => '?').join(', ')), params: values };
}
