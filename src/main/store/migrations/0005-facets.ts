import type { Migration } from './migration.ts';

/** What records are listed and counted by: language as a column, and an index for each facet. */
export const facets: Migration = {
  version: 5,
  name: 'languages and indices of facets',
  sql: `
ALTER TABLE record ADD COLUMN language TEXT NOT NULL DEFAULT '';
UPDATE record SET language = coalesce(
  (SELECT json_extract(b.detail, '$.language') FROM record_body b WHERE b.record_id = record.id), '');
CREATE INDEX record_journal ON record (journal);
CREATE INDEX record_language ON record (language);
CREATE INDEX record_flagged ON record (flags) WHERE flags <> '[]';
`,
};
