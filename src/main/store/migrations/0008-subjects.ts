import type { Migration } from './migration.ts';

/**
 * MeSH headings and keywords of records, as numbers: a million records have more than ten million of them, so
 * they are stored in packs of many records and read as a whole. Records stored before have no pack yet; they get
 * theirs when headings are first asked for.
 */
export const subjects: Migration = {
  version: 8,
  name: 'MeSH headings and keywords',
  sql: `
CREATE TABLE subject (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('mesh', 'keyword')),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;
CREATE TABLE subject_pack (
  first_id INTEGER PRIMARY KEY REFERENCES record (id),
  last_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  numbers BLOB NOT NULL
) STRICT;
`,
};
