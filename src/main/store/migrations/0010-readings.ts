import type { Migration } from './migration.ts';

/** How a file was read, beside how far: an import goes on only where the same reading would. */
export const readings: Migration = {
  version: 10,
  name: 'the reading of a source',
  sql: 'ALTER TABLE source ADD COLUMN reading TEXT;',
};
