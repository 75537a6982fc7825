import type { ImportedRecord } from '../../shared/domain/index.ts';
import { splitLines } from './bytes.ts';
import { decodeText } from './decode.ts';
import {
  cleanAbstract,
  cleanDoi,
  cleanPmid,
  EMPTY_RECORD,
  oneLine,
  pmidFromUrl,
  pubmedUrl,
  recordItem,
  unique,
  yearIn,
} from './fields.ts';
import { titleFlags } from './flags.ts';
import { taggedRecords, TaggedValues, type TaggedDialect, type TaggedRecord } from './tagged/lines.ts';
import type { FileHead, ImportContext, ImportFormat, ImportItem } from './types.ts';

/** All tags of RIS and of the programs that write it; a line that begins with another pair is text. */
const TAGS: ReadonlySet<string> = new Set(
  (
    'TY A1 A2 A3 A4 AB AD AN AU AV BT C1 C2 C3 C4 C5 C6 C7 C8 CA CN CP CR CT CY DA DB DE DI DO DP DS EA ED EI EP ER ET ' +
    'FD H1 H2 ID IP IS J1 J2 JA JF JO JT K1 KW L1 L2 L3 L4 LA LB LK LL M1 M2 M3 MA MI N1 N2 NO NV OL OP PA PB PE PG ' +
    'PM PP PR PT PY RD RI RN RP SE SF SL SN SO SP SR ST SU SV T1 T2 T3 T4 TA TI TT U1 U2 U3 U4 U5 UR UT VL VN VO WP WT WV ' +
    'Y1 Y2 YR ZA ZB'
  ).split(' '),
);
const FIELD = /^([A-Z][A-Z0-9])[ \t]{0,3}-(?:[ \t](.*)|)$/;

const DIALECT: TaggedDialect = {
  field: (line) => {
    const match = FIELD.exec(line);
    const tag = match?.[1] ?? '';
    return match !== null && TAGS.has(tag) ? [tag, match[2] ?? ''] : null;
  },
  // An ER that was forgotten is made up for by the next TY.
  begins: (tag, open) => tag === 'TY' && open.size > 0,
  ends: (tag) => tag === 'ER',
};

/** RIS: what reference managers and most databases exchange. */
export const ris: ImportFormat = { kind: 'ris', label: 'RIS', detect, read };

/** A record begins near the start, or, where the TY is missing, several lines are tagged as RIS does. */
function detect({ text }: FileHead): boolean {
  if (text === null) return false;
  const lines = text.split(/\r\n?|\n/, 200);
  const tagged = lines.flatMap((line) => DIALECT.field(line)?.[0] ?? []);
  const [first = ''] = lines.filter((line) => line.trim() !== '');
  const begins = DIALECT.field(first) !== null || /^\W*\d+\.?\s*$/.test(first);
  return tagged.includes('TY') ? begins || tagged.length >= 3 : begins && tagged.length >= 3;
}

async function* read(
  bytes: AsyncIterable<Uint8Array>,
  { name, note }: ImportContext,
): AsyncGenerator<ImportItem> {
  const lines = splitLines(decodeText(bytes, { name, singleByte: true, note }), name);
  for await (const record of taggedRecords(lines, DIALECT, name)) {
    // An ER without a record is left by programs that write two.
    if (record.fields.every(({ tag }) => tag === 'ER')) continue;
    yield recordItem(toRecord(record), record.line);
  }
}

/** One record of tagged lines as a record of ours. */
export function toRecord(record: TaggedRecord): ImportedRecord {
  const values = new TaggedValues(record);
  const line = (...tags: readonly string[]): string => oneLine(values.first(...tags));
  const title = line('TI', 'T1', 'CT', 'BT', 'ST');
  const abstract = cleanAbstract(values.text('AB', 'N2'));
  const links = values.all('UR', 'L2', 'LK', 'L1', 'L3', 'L4').flatMap((url) => url.split(/[\s;]+/));
  const pmid = pmidOf(values, links);
  const printed = line('PY', 'Y1', 'YR', 'DA');
  return {
    ...EMPTY_RECORD,
    pmid,
    doi: doiOf(values, links),
    title,
    abstract,
    sections: abstract === '' ? [] : [{ label: null, nlmCategory: null, text: abstract }],
    journal: line('JF', 'T2', 'JO', 'JT', 'JA', 'J2', 'J1'),
    year: yearIn(printed) ?? yearIn(line('DA', 'Y2')),
    date: printed.replace(/\/+$/, ''),
    authors: unique(values.all(values.first('AU') === '' ? 'A1' : 'AU').flatMap(names)),
    affiliations: unique(values.all('AD', 'C1').map(oneLine)),
    keywords: unique(values.all('KW', 'K1', 'DE').flatMap(keywords)),
    language: line('LA'),
    url: links[0] ?? pubmedUrl(pmid),
    flags: titleFlags(title),
    bibliographic: {
      volume: line('VL', 'VO'),
      issue: line('IS', 'IP'),
      pages: [line('SP'), line('EP')].filter((page) => page !== '').join('-') || line('PG'),
      issn: line('SN').replace(/\s*\(.*\)$/, ''),
      pmcid: /\bPMC\d+\b/.exec([line('C2', 'PM'), ...links].join(' '))?.[0] ?? '',
    },
  };
}

/** One name a line; a semicolon separates them where a program wrote several into one. */
function names(value: string): string[] {
  return value
    .split(/\n|;/)
    .map((name) => oneLine(name).replace(/,$/, ''))
    .filter((name) => name !== '');
}

function keywords(value: string): string[] {
  return value
    .split(/\n|;/)
    .map((keyword) => oneLine(keyword).replace(/^\*/, ''))
    .filter((keyword) => keyword !== '');
}

/** RIS has no field for it: a link to PubMed, an accession number of PubMed or MEDLINE, or a note says it. */
function pmidOf(values: TaggedValues, links: readonly string[]): string | null {
  for (const link of links) {
    const pmid = pmidFromUrl(link);
    if (pmid !== null) return pmid;
  }
  const database = values.all('DB', 'DP', 'DS').join(' ');
  // EndNote calls PubMed NLM; Scopus gives the PMID in a custom field.
  const ofPubMed = /pubmed|medline|\bnlm\b/i.test(database);
  const accession =
    (ofPubMed ? cleanPmid(values.first('AN', 'ID')) : null) ??
    (/scopus/i.test(database) ? cleanPmid(values.first('C2')) : null);
  if (accession !== null) return accession;
  const noted = /\bPMID:?\s*(\d{1,8})\b/i.exec(
    values.all('N1', 'AN', 'C2', 'M1', 'U1', 'U2', 'PM', 'NV', 'L3', 'ID').join('\n'),
  );
  return cleanPmid(noted?.[1] ?? '') ?? cleanPmid(values.first('PM'));
}

function doiOf(values: TaggedValues, links: readonly string[]): string | null {
  const candidates = [
    ...values.all('DO', 'DI'),
    ...values.all('M3', 'C7', 'N1').map((text) => /\b(?:doi:?\s*)(10\.\S+)/i.exec(text)?.[1] ?? text),
    ...links.filter((link) => /doi\.org\//i.test(link)),
  ];
  for (const candidate of candidates) {
    const doi = cleanDoi(oneLine(candidate));
    if (doi !== null) return doi;
  }
  return null;
}
