import type { RecordDetail } from '../../../shared/domain/index.ts';

/** RIS as reference managers read it: one field a line, so that line ends inside a text become blanks. */
export function* recordsRis(records: Iterable<RecordDetail>): Generator<string> {
  for (const record of records) {
    const lines = fieldsOf(record).flatMap(([tag, value]) => {
      const text = value.replace(/\s+/g, ' ').trim();
      return text === '' ? [] : [`${tag}  - ${text}\r\n`];
    });
    yield `TY  - JOUR\r\n${lines.join('')}ER  - \r\n\r\n`;
  }
}

function fieldsOf(record: RecordDetail): (readonly [string, string])[] {
  const { volume = '', issue = '', pages = '', issn = '', pmcid = '' } = record.bibliographic ?? {};
  const [first = '', last = ''] = pages.split('-');
  const each = (tag: string, values: readonly string[]) => values.map((value) => [tag, value] as const);
  return [
    ['TI', record.title],
    ...each('AU', record.authors),
    ['PY', record.year === null ? '' : String(record.year)],
    ['DA', record.date],
    ['JO', record.journal],
    ['VL', volume],
    ['IS', issue],
    ['SP', first],
    ['EP', last],
    ['SN', issn],
    ['AB', record.abstract],
    ...each('KW', record.keywords),
    ...each('AD', record.affiliations),
    ['LA', record.language],
    ['DO', record.doi ?? ''],
    ['C2', pmcid],
    ...(record.pmid === null ? [] : [['DB', 'PubMed'] as const, ['AN', record.pmid] as const]),
    ['UR', record.url],
    ['N1', noteOf(record)],
  ];
}

/** The screening, which RIS has no field for. */
function noteOf({ decision, reason, note, flags }: RecordDetail): string {
  const parts = [
    decision === 'undecided' ? '' : `Decision: ${decision}${reason === null ? '' : ` (${reason})`}`,
    flags.length === 0 ? '' : `Flags: ${flags.join(', ')}`,
    note,
  ];
  return parts.filter((part) => part !== '').join('. ');
}
