import type { Migration } from './migration.ts';

/**
 * Effects that other programs computed, in a table of their own: they have neither model nor pairs in the study. A
 * comparison may hold one on either side.
 */
export const externalResults: Migration = {
  version: 9,
  name: 'external results, and comparisons with them',
  sql: `
CREATE TABLE external_result (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  file TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  content TEXT NOT NULL,
  imported_at TEXT NOT NULL,
  removed_at TEXT
) STRICT;

CREATE TABLE comparison_of_results (
  id INTEGER PRIMARY KEY,
  a INTEGER REFERENCES sweep (id),
  b INTEGER REFERENCES sweep (id),
  a_external INTEGER REFERENCES external_result (id),
  b_external INTEGER REFERENCES external_result (id),
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  removed_at TEXT,
  CHECK ((a IS NULL) <> (a_external IS NULL)),
  CHECK ((b IS NULL) <> (b_external IS NULL))
) STRICT;
INSERT INTO comparison_of_results (id, a, b, name, created_at, removed_at)
  SELECT id, a, b, name, created_at, removed_at FROM comparison;
DROP TABLE comparison;
ALTER TABLE comparison_of_results RENAME TO comparison;
`,
};
