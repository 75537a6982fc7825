import type { EngramClient, RecordFilter } from '../../../shared/contracts/index.ts';
import type { RecordRow } from '../../../shared/domain/index.ts';
import { saveText } from '../../components/saveText.ts';
import { type Column, toCsv } from '../../components/table.ts';

const CHUNK = 500;

/** The whole filtered list, not only what is loaded, as a CSV file with one column for each term. */
export async function exportRecords(client: EngramClient, filter: RecordFilter): Promise<void> {
  const rows: RecordRow[] = [];
  let terms: readonly string[] = [];
  let total = 1;
  while (rows.length < total) {
    const page = await client.curate.records({ filter, offset: rows.length, limit: CHUNK });
    if (page.rows.length === 0) break;
    rows.push(...page.rows);
    total = page.total;
    terms = page.terms;
  }
  const columns: Column<RecordRow>[] = [
    { key: 'pmid', label: 'PMID', text: (r) => r.pmid ?? '' },
    { key: 'title', label: 'Title', text: (r) => r.title },
    { key: 'journal', label: 'Journal', text: (r) => r.journal },
    { key: 'year', label: 'Year', text: (r) => String(r.year ?? '') },
    { key: 'decision', label: 'Decision', text: (r) => r.decision },
    { key: 'reason', label: 'Reason', text: (r) => r.reason ?? '' },
    { key: 'copies', label: 'Copies', text: (r) => String(r.copies) },
    ...terms.map((term, index) => ({
      key: `term.${term}`,
      label: term,
      text: (r: RecordRow) => String(r.mentions[index] ?? 0),
    })),
  ];
  saveText('records.csv', toCsv(rows, columns));
}
