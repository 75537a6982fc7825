import type { Migration } from './migration.ts';

/** What PubMed deleted, so that an older file imported later does not bring it back. */
export const tombstones: Migration = {
  version: 3,
  name: 'deleted PMIDs',
  sql: `
CREATE TABLE tombstone (
  pmid TEXT PRIMARY KEY,
  source_id INTEGER REFERENCES source (id),
  deleted_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
