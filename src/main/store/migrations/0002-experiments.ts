import type { Migration } from './migration.ts';

/** Experiment side of a study: models, training, pairs, sweeps, comparisons, report, jobs, artifacts, undo. */
export const experiments: Migration = {
  version: 2,
  name: 'models, training, pairs, sweeps, comparisons, report, jobs, artifacts, undo',
  sql: `
CREATE TABLE artifact (
  hash TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('file', 'folder')),
  name TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  params TEXT NOT NULL,
  heavy INTEGER NOT NULL,
  status TEXT NOT NULL,
  progress TEXT NOT NULL,
  created_at TEXT NOT NULL,
  started_at TEXT,
  finished_at TEXT,
  resumed INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  summary TEXT,
  result TEXT
) STRICT;
CREATE INDEX job_status ON job (status, id);
CREATE TABLE job_log (
  id INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  at TEXT NOT NULL,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX job_log_job ON job_log (job_id, id);

CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  origin TEXT NOT NULL,
  parent_id INTEGER REFERENCES model (id),
  training_run_id INTEGER,
  config TEXT NOT NULL,
  parameters INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  tokenizer TEXT NOT NULL,
  weights_hash TEXT NOT NULL,
  artifact_hash TEXT NOT NULL REFERENCES artifact (hash),
  created_at TEXT NOT NULL,
  evaluation TEXT,
  removed_at TEXT
) STRICT;

CREATE TABLE training_run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  base_model_id INTEGER NOT NULL REFERENCES model (id),
  model_id INTEGER REFERENCES model (id),
  dataset_id INTEGER NOT NULL REFERENCES dataset (id),
  job_id INTEGER REFERENCES job (id),
  config TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at TEXT NOT NULL,
  total_steps INTEGER NOT NULL DEFAULT 0,
  step INTEGER NOT NULL DEFAULT 0,
  best_epoch INTEGER,
  best_validation_loss REAL,
  stopped_early INTEGER NOT NULL DEFAULT 0,
  sample TEXT,
  warnings TEXT NOT NULL DEFAULT '[]',
  provenance TEXT,
  removed_at TEXT
) STRICT;
CREATE TABLE training_step (
  run_id INTEGER NOT NULL REFERENCES training_run (id) ON DELETE CASCADE,
  step INTEGER NOT NULL,
  epoch REAL NOT NULL,
  loss REAL,
  learning_rate REAL NOT NULL,
  gradient_norm REAL,
  tokens_per_second REAL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE training_epoch (
  run_id INTEGER NOT NULL REFERENCES training_run (id) ON DELETE CASCADE,
  epoch INTEGER NOT NULL,
  step INTEGER NOT NULL,
  train_loss REAL,
  validation_loss REAL,
  best INTEGER NOT NULL,
  PRIMARY KEY (run_id, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE pair_set (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  frozen INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  removed_at TEXT
) STRICT;
CREATE TABLE pair (
  id INTEGER PRIMARY KEY,
  set_id INTEGER NOT NULL REFERENCES pair_set (id),
  ordinal INTEGER NOT NULL,
  line TEXT NOT NULL,
  edited_at TEXT NOT NULL
) STRICT;
CREATE INDEX pair_of_set ON pair (set_id, ordinal);

CREATE TABLE sweep (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  spec TEXT NOT NULL,
  status TEXT NOT NULL,
  job_id INTEGER REFERENCES job (id),
  created_at TEXT NOT NULL,
  finished_at TEXT,
  plan TEXT,
  warnings TEXT NOT NULL DEFAULT '[]',
  provenance TEXT,
  inputs TEXT NOT NULL DEFAULT '[]',
  removed_at TEXT
) STRICT;
CREATE TABLE sweep_block (
  sweep_id INTEGER NOT NULL REFERENCES sweep (id) ON DELETE CASCADE,
  grid_index INTEGER NOT NULL,
  pair_index INTEGER NOT NULL,
  shape TEXT NOT NULL,
  zero BLOB NOT NULL,
  trivial BLOB NOT NULL,
  PRIMARY KEY (sweep_id, grid_index, pair_index)
) STRICT;
CREATE TABLE sweep_value (
  sweep_id INTEGER NOT NULL,
  grid_index INTEGER NOT NULL,
  pair_index INTEGER NOT NULL,
  metric_index INTEGER NOT NULL,
  clean REAL,
  corrupted REAL,
  raw BLOB NOT NULL,
  PRIMARY KEY (sweep_id, grid_index, pair_index, metric_index),
  FOREIGN KEY (sweep_id, grid_index, pair_index)
    REFERENCES sweep_block (sweep_id, grid_index, pair_index) ON DELETE CASCADE
) STRICT;

CREATE TABLE comparison (
  id INTEGER PRIMARY KEY,
  a INTEGER NOT NULL REFERENCES sweep (id),
  b INTEGER NOT NULL REFERENCES sweep (id),
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  removed_at TEXT
) STRICT;

CREATE TABLE report (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  content TEXT NOT NULL,
  edited_at TEXT NOT NULL
) STRICT;

CREATE TABLE undo_step (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL,
  what TEXT NOT NULL,
  at TEXT NOT NULL,
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE undo_change (
  id INTEGER PRIMARY KEY,
  step_id INTEGER NOT NULL REFERENCES undo_step (id) ON DELETE CASCADE,
  table_name TEXT NOT NULL,
  before TEXT,
  after TEXT
) STRICT;
CREATE INDEX undo_change_step ON undo_change (step_id, id);
`,
};
