import type { Migration } from './migration.ts';

/** Sweeps under Gaussian noise keep the spread over their draws beside the mean. */
export const draws: Migration = {
  version: 7,
  name: 'spread over draws of noise',
  sql: 'ALTER TABLE sweep_value ADD COLUMN draw_sd BLOB;',
};
