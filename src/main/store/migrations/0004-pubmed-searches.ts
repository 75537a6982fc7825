import type { Migration } from './migration.ts';

/** Searches of PubMed: what was asked, in which slices, and what became of every PMID. */
export const pubmedSearches: Migration = {
  version: 4,
  name: 'PubMed searches',
  sql: `
CREATE TABLE pubmed_search (
  source_id INTEGER PRIMARY KEY REFERENCES source (id) ON DELETE CASCADE,
  query TEXT NOT NULL,
  translation TEXT NOT NULL,
  count INTEGER NOT NULL,
  searched_at TEXT NOT NULL,
  last_day TEXT NOT NULL,
  listed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE pubmed_slice (
  source_id INTEGER NOT NULL REFERENCES pubmed_search (source_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (source_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE pubmed_article (
  source_id INTEGER NOT NULL REFERENCES pubmed_search (source_id) ON DELETE CASCADE,
  pmid INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('wanted', 'stored', 'absent', 'missing')),
  PRIMARY KEY (source_id, pmid)
) STRICT, WITHOUT ROWID;
CREATE INDEX pubmed_article_state ON pubmed_article (source_id, state, pmid);
`,
};
