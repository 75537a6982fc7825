import type { Migration } from './migration.ts';

/**
 * Data side of a study: sources, records, decisions, frozen datasets. A record's long texts live in
 * `record_body`, so that lists, facets and counts read narrow rows only.
 */
export const study: Migration = {
  version: 1,
  name: 'study, sources, records, decisions, datasets',
  sql: `
CREATE TABLE study (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  uuid TEXT NOT NULL,
  name TEXT NOT NULL,
  synthetic INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  sha256 TEXT,
  imported_at TEXT NOT NULL,
  status TEXT NOT NULL,
  message TEXT,
  position INTEGER NOT NULL DEFAULT 0,
  job_id INTEGER,
  file_index INTEGER,
  n_read INTEGER NOT NULL DEFAULT 0,
  n_added INTEGER NOT NULL DEFAULT 0,
  n_duplicates INTEGER NOT NULL DEFAULT 0,
  n_rejected INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX source_sha256 ON source (sha256);

CREATE TABLE reject (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES source (id) ON DELETE CASCADE,
  line INTEGER NOT NULL,
  key TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX reject_source ON reject (source_id);

CREATE TABLE record (
  id INTEGER PRIMARY KEY,
  source_id INTEGER NOT NULL REFERENCES source (id),
  duplicate_of INTEGER REFERENCES record (id),
  pmid TEXT,
  version INTEGER NOT NULL,
  doi_key TEXT,
  text_key TEXT,
  content_hash TEXT NOT NULL,
  year INTEGER,
  has_abstract INTEGER NOT NULL,
  title TEXT NOT NULL,
  journal TEXT NOT NULL,
  flags TEXT NOT NULL,
  imported_at TEXT NOT NULL
) STRICT;
CREATE INDEX record_list ON record (year DESC, title COLLATE NOCASE, id, duplicate_of);
CREATE INDEX record_duplicate ON record (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX record_pmid ON record (pmid) WHERE pmid IS NOT NULL;
CREATE INDEX record_doi ON record (doi_key) WHERE doi_key IS NOT NULL;
CREATE INDEX record_text ON record (text_key) WHERE text_key IS NOT NULL;
CREATE INDEX record_hash ON record (content_hash);
CREATE INDEX record_source ON record (source_id);

CREATE TABLE record_body (
  record_id INTEGER PRIMARY KEY REFERENCES record (id) ON DELETE CASCADE,
  abstract TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE record_text_index USING fts5(
  title, abstract, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);

CREATE TABLE publication_type (
  id INTEGER PRIMARY KEY,
  value TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE record_publication_type (
  publication_type_id INTEGER NOT NULL REFERENCES publication_type (id),
  record_id INTEGER NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  PRIMARY KEY (publication_type_id, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE term (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE record_term (
  term_id INTEGER NOT NULL REFERENCES term (id) ON DELETE CASCADE,
  record_id INTEGER NOT NULL REFERENCES record (id) ON DELETE CASCADE,
  mentions INTEGER NOT NULL CHECK (mentions > 0),
  PRIMARY KEY (term_id, record_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
  record_id INTEGER PRIMARY KEY REFERENCES record (id) ON DELETE CASCADE,
  decision TEXT NOT NULL CHECK (decision IN ('undecided', 'include', 'maybe', 'exclude')),
  reason TEXT,
  note TEXT NOT NULL DEFAULT '',
  decided_at TEXT NOT NULL
) STRICT;
CREATE INDEX decision_value ON decision (decision, reason);

CREATE TABLE dataset (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  options TEXT NOT NULL,
  n_train INTEGER NOT NULL,
  n_validation INTEGER NOT NULL,
  flow TEXT NOT NULL,
  terms TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TABLE dataset_member (
  dataset_id INTEGER NOT NULL REFERENCES dataset (id),
  ordinal INTEGER NOT NULL,
  record_id INTEGER NOT NULL REFERENCES record (id),
  split TEXT NOT NULL CHECK (split IN ('train', 'validation')),
  position INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (dataset_id, ordinal)
) STRICT;
CREATE INDEX dataset_member_split ON dataset_member (dataset_id, split, position);
CREATE TRIGGER dataset_member_fixed BEFORE UPDATE ON dataset_member
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be changed'); END;
CREATE TRIGGER dataset_member_kept BEFORE DELETE ON dataset_member
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be changed'); END;
CREATE TRIGGER dataset_fixed BEFORE UPDATE ON dataset
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be changed'); END;
`,
};
