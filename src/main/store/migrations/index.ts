import type { Database } from 'better-sqlite3';
import { StoreError } from '../../../shared/errors/index.ts';
import { study } from './0001-study.ts';
import { experiments } from './0002-experiments.ts';
import { tombstones } from './0003-tombstones.ts';
import { pubmedSearches } from './0004-pubmed-searches.ts';
import { facets } from './0005-facets.ts';
import { freezingInSteps } from './0006-freezing-in-steps.ts';
import { draws } from './0007-draws.ts';
import { subjects } from './0008-subjects.ts';
import { externalResults } from './0009-external-results.ts';
import { readings } from './0010-readings.ts';
import type { Migration } from './migration.ts';

/** In order; the version of a study is SQLite's `user_version`. */
export const MIGRATIONS: readonly Migration[] = [
  study,
  experiments,
  tombstones,
  pubmedSearches,
  facets,
  freezingInSteps,
  draws,
  subjects,
  externalResults,
  readings,
];

export const SCHEMA_VERSION = MIGRATIONS.length;

export function schemaVersion(db: Database): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/**
 * Brings a database to `target`, each step in a transaction of its own. Errors: StoreError
 * `STUDY_TOO_NEW` when the study was written by a later version of Engram.
 */
export function migrate(db: Database, target: number = SCHEMA_VERSION): void {
  const current = schemaVersion(db);
  if (current > SCHEMA_VERSION) {
    throw new StoreError(
      'STUDY_TOO_NEW',
      `The study has schema version ${current}; this Engram knows versions up to ${SCHEMA_VERSION}.`,
      'Open it with a newer Engram.',
    );
  }
  for (const migration of MIGRATIONS) {
    if (migration.version <= current || migration.version > target) continue;
    db.transaction(() => {
      db.exec(migration.sql);
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
}
