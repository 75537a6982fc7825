import type { RecordDetail } from '../../../shared/domain/index.ts';
import type { CsvValue } from '../csv.ts';

/** The columns of a table of records: the study's six first, under the names by which they are read back. */
export const RECORD_COLUMNS: readonly (readonly [string, (record: RecordDetail) => CsvValue])[] = [
  ['PMID', (r) => r.pmid],
  ['Title', (r) => r.title],
  ['Abstract', (r) => r.abstract],
  ['Journal', (r) => r.journal],
  ['Keywords', (r) => r.keywords.join('; ')],
  ['URL', (r) => r.url],
  ['DOI', (r) => r.doi],
  ['Year', (r) => r.year],
  ['Authors', (r) => r.authors.join('; ')],
  ['Language', (r) => r.language],
  ['Publication types', (r) => r.publicationTypes.join('; ')],
  ['MeSH', (r) => r.mesh.map((heading) => heading.descriptor).join('; ')],
  ['Decision', (r) => r.decision],
  ['Reason', (r) => r.reason],
  ['Note', (r) => r.note],
  ['Flags', (r) => r.flags.join('; ')],
  ['Imported from', (r) => r.sourceName],
];
