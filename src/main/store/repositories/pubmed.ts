import { z } from 'zod';
import type { SourceId } from '../../../shared/domain/index.ts';
import { PubmedSearch } from '../../../shared/domain/index.ts';
import { flag, now, query } from '../rows.ts';
import { type StoreContext } from './base.ts';

/** What became of a listed PMID: `absent` = asked for once and not in the answer, `missing` = asked for twice. */
type ArticleState = 'wanted' | 'stored' | 'absent' | 'missing';

interface NewSearch {
  readonly query: string;
  readonly translation: string;
  readonly count: number;
  /** The last day (`YYYY/MM/DD`) of articles that belong to it. */
  readonly lastDay: string;
}

/** A search with what continuing it needs. */
interface StoredSearch extends NewSearch {
  readonly searchedAt: string;
  /** Every PMID is listed. */
  readonly listed: boolean;
}

export interface PubmedRepository {
  begin(id: SourceId, search: NewSearch): void;
  find(id: SourceId): StoredSearch | undefined;
  /** The source that a job began, if an earlier attempt got that far. */
  ofJob(jobId: number): SourceId | undefined;
  /** What the user sees of it; undefined for a source that is no search. */
  summary(id: SourceId): PubmedSearch | undefined;
  hasSlice(id: SourceId, name: string): boolean;
  /** Notes a listed slice and its PMIDs as one; PMIDs of several slices count once. */
  addSlice(id: SourceId, name: string, count: number, pmids: readonly string[]): void;
  finishListing(id: SourceId): void;
  /** The lowest PMIDs in a state. */
  next(id: SourceId, state: ArticleState, limit: number): string[];
  mark(id: SourceId, pmids: readonly string[], state: ArticleState): void;
  count(id: SourceId, state: ArticleState): number;
}

const Row = z.object({
  query: z.string(),
  translation: z.string(),
  count: z.number(),
  lastDay: z.string(),
  searchedAt: z.string(),
  listed: flag,
});

export function createPubmedRepository({ db }: StoreContext): PubmedRepository {
  const insert = db.prepare<[number, string, string, number, string, string]>(
    `INSERT INTO pubmed_search (source_id, query, translation, count, searched_at, last_day)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  const select = query<[number], typeof Row>(
    db,
    `SELECT query, translation, count, last_day AS lastDay, searched_at AS searchedAt, listed
     FROM pubmed_search WHERE source_id = ?`,
    Row,
  );
  const selectSummary = query<[number], typeof PubmedSearch>(
    db,
    `SELECT s.source_id AS sourceId, s.query, s.translation, s.count, s.searched_at AS searchedAt,
       (SELECT count(*) FROM pubmed_slice l WHERE l.source_id = s.source_id) AS slices,
       (SELECT count(*) FROM pubmed_article a WHERE a.source_id = s.source_id) AS listed,
       (SELECT count(*) FROM pubmed_article a WHERE a.source_id = s.source_id AND a.state = 'stored') AS fetched,
       (SELECT count(*) FROM pubmed_article a WHERE a.source_id = s.source_id AND a.state = 'missing') AS missing
     FROM pubmed_search s WHERE s.source_id = ?`,
    PubmedSearch,
  );
  const selectOfJob = db
    .prepare<[number], SourceId>(
      `SELECT s.source_id FROM pubmed_search s JOIN source o ON o.id = s.source_id WHERE o.job_id = ?`,
    )
    .pluck();
  const selectSlice = db
    .prepare<[number, string], number>('SELECT 1 FROM pubmed_slice WHERE source_id = ? AND name = ?')
    .pluck();
  const insertSlice = db.prepare<[number, string, number]>(
    'INSERT INTO pubmed_slice (source_id, name, count) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const insertArticles = db.prepare<[number, string]>(
    `INSERT INTO pubmed_article (source_id, pmid, state)
     SELECT ?, CAST(value AS INTEGER), 'wanted' FROM json_each(?) WHERE TRUE ON CONFLICT DO NOTHING`,
  );
  const setListed = db.prepare<[number]>('UPDATE pubmed_search SET listed = 1 WHERE source_id = ?');
  const selectNext = db
    .prepare<[number, string, number], string>(
      `SELECT CAST(pmid AS TEXT) FROM pubmed_article WHERE source_id = ? AND state = ? ORDER BY pmid LIMIT ?`,
    )
    .pluck();
  const setState = db.prepare<[string, number, string]>(
    `UPDATE pubmed_article SET state = ? WHERE source_id = ?
       AND pmid IN (SELECT CAST(value AS INTEGER) FROM json_each(?))`,
  );
  const countState = db
    .prepare<[number, string], number>(
      'SELECT count(*) FROM pubmed_article WHERE source_id = ? AND state = ?',
    )
    .pluck();

  return {
    begin: (id, search) => {
      insert.run(id, search.query, search.translation, search.count, now(), search.lastDay);
    },
    find: (id) => select.get(id),
    ofJob: (jobId) => selectOfJob.get(jobId),
    summary: (id) => selectSummary.get(id),
    hasSlice: (id, name) => selectSlice.get(id, name) !== undefined,
    addSlice: (id, name, count, pmids) => {
      db.transaction(() => {
        insertSlice.run(id, name, count);
        insertArticles.run(id, JSON.stringify(pmids));
      })();
    },
    finishListing: (id) => {
      setListed.run(id);
    },
    next: (id, state, limit) => selectNext.all(id, state, limit),
    mark: (id, pmids, state) => {
      setState.run(state, id, JSON.stringify(pmids));
    },
    count: (id, state) => countState.get(id, state) ?? 0,
  };
}
