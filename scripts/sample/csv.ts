import { JOURNAL } from './pubmed-xml.ts';
import { abstractText, type SampleRecord } from './records.ts';

const COLUMNS = ['PMID', 'Title', 'Abstract', 'Journal', 'Keywords', 'URL'] as const;

/** The articles as a table with the study's six columns; abstracts keep their line breaks. */
export function sampleCsv(records: readonly SampleRecord[]): string {
  const rows = records.map((record) => [
    record.pmid,
    record.title,
    abstractText(record),
    JOURNAL,
    record.keywords.join('; '),
    `https://example.org/synthetic/${record.pmid}`,
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

function field(value: string): string {
  return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
