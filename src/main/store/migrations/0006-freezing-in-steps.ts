import type { Migration } from './migration.ts';

/**
 * Datasets and term counts that are written in steps: one is there once it is marked as ready, and cannot be
 * changed from then on. What an interruption left is removed when the study opens.
 */
export const freezingInSteps: Migration = {
  version: 6,
  name: 'datasets and terms in steps, near-copies',
  sql: `
CREATE TABLE dataset_ready (
  dataset_id INTEGER PRIMARY KEY REFERENCES dataset (id),
  job_id INTEGER,
  near_copies TEXT
) STRICT;
INSERT INTO dataset_ready (dataset_id) SELECT id FROM dataset;

DROP TRIGGER dataset_member_kept;
CREATE TRIGGER dataset_member_kept BEFORE DELETE ON dataset_member
  WHEN EXISTS (SELECT 1 FROM dataset_ready WHERE dataset_id = OLD.dataset_id)
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be changed'); END;
DROP TRIGGER dataset_fixed;
CREATE TRIGGER dataset_fixed BEFORE UPDATE ON dataset
  WHEN EXISTS (SELECT 1 FROM dataset_ready WHERE dataset_id = OLD.id)
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be changed'); END;
CREATE TRIGGER dataset_kept BEFORE DELETE ON dataset
  WHEN EXISTS (SELECT 1 FROM dataset_ready WHERE dataset_id = OLD.id)
  BEGIN SELECT RAISE(ABORT, 'a frozen dataset cannot be removed'); END;

ALTER TABLE term ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;
`,
};
