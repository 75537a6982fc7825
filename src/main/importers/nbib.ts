import type { ImportedRecord } from '../../shared/domain/index.ts';
import { splitLines } from './bytes.ts';
import { decodeText } from './decode.ts';
import {
  cleanAbstract,
  cleanDoi,
  cleanPmid,
  EMPTY_RECORD,
  oneLine,
  pubmedUrl,
  recordItem,
  unique,
  yearIn,
} from './fields.ts';
import { recordFlags, titleFlags } from './flags.ts';
import { taggedRecords, TaggedValues, type TaggedDialect, type TaggedRecord } from './tagged/lines.ts';
import type { FileHead, ImportContext, ImportFormat, ImportItem } from './types.ts';

const FIELD = /^([A-Z][A-Z0-9]{1,3}) {0,2}-(?: (.*)|)$/;

/** Fields of which a record has one: after an empty line, a second one begins the next record. */
const SINGLE: ReadonlySet<string> = new Set(['PMID', 'UI', 'STAT', 'TI', 'BTI']);

/** How its lines are to be read. */
export const NBIB_LINES: TaggedDialect = {
  field: (line) => {
    if (line.startsWith('      ')) return null;
    const match = FIELD.exec(line.replace(/^\s{1,3}/, '').trimEnd());
    return match === null ? null : [match[1] ?? '', match[2] ?? ''];
  },
  begins: (tag, open, gap) =>
    tag === 'PMID' ? open.has('PMID') || gap : gap && SINGLE.has(tag) && open.has(tag),
  ends: () => false,
  // Ovid numbers the records.
  separates: (line) => /^\s*<\d+>\s*$/.test(line),
};

/** The MEDLINE format: what PubMed's "Send to citation manager" and `rettype=medline` give. */
export const nbib: ImportFormat = { kind: 'nbib', label: 'PubMed (MEDLINE, nbib)', detect, read };

function detect({ text }: FileHead): boolean {
  if (text === null || /^TY {1,2}- /m.test(text)) return false;
  return (
    /^\s*(?:<\d+>\s*)?(?:PMID|STAT|OWN|UI|DCOM) {0,2}- ?\S/.test(text) &&
    /^\s{0,3}(?:PMID|UI {0,2}) ?- *\S/m.test(text)
  );
}

async function* read(
  bytes: AsyncIterable<Uint8Array>,
  { name, note }: ImportContext,
): AsyncGenerator<ImportItem> {
  const lines = splitLines(decodeText(bytes, { name, singleByte: true, note }), name);
  for await (const record of taggedRecords(lines, NBIB_LINES, name)) {
    yield recordItem(toRecord(record), record.line);
  }
}

/** What the links to other articles are called in this format and in PubMed's XML. */
const LINKS: Readonly<Record<string, string>> = {
  RIN: 'RetractionIn',
  PRIN: 'PartialRetractionIn',
  ROF: 'RetractionOf',
  PROF: 'PartialRetractionOf',
  ECI: 'ExpressionOfConcernIn',
  EIN: 'ErratumIn',
  UIN: 'UpdateIn',
  RPI: 'RepublishedIn',
  CRI: 'CorrectedandRepublishedIn',
  RRI: 'RetractedandRepublishedIn',
};

/** One record of tagged lines as a record of ours. */
export function toRecord(record: TaggedRecord): ImportedRecord {
  const values = new TaggedValues(record);
  const line = (...tags: readonly string[]): string => oneLine(values.text(...tags));
  const lines = (...tags: readonly string[]): string[] => values.all(...tags).map(oneLine);
  const pmid = cleanPmid(line('PMID', 'UI'));
  const abstract = cleanAbstract(line('AB'));
  const publicationTypes = lines('PT');
  const title = titleOf(line('TI', 'CTI', 'BTI'), line('TT'));
  const printed = line('DP');
  const revised = dayOf(line('LR'));
  const other = line('OAB');
  const links = Object.entries(LINKS).filter(([tag]) => values.first(tag) !== '');
  return {
    ...EMPTY_RECORD,
    pmid,
    version: Math.max(1, Math.trunc(Number(line('VN')) || 1)),
    doi: doiOf(lines('AID', 'LID')),
    title,
    abstract,
    sections: abstract === '' ? [] : [{ label: null, nlmCategory: null, text: abstract }],
    ...(other === ''
      ? {}
      : { otherAbstracts: [{ type: null, language: line('OABL') || null, text: other }] }),
    journal: line('JT', 'TA', 'BTI'),
    year: yearIn(printed) ?? yearIn(line('DEP')),
    date: printed === '' ? line('DEP') : printed,
    authors: authorsOf(values),
    affiliations: unique(lines('AD')),
    keywords: unique(lines('OT').map((keyword) => keyword.replace(/^\*/, ''))),
    mesh: lines('MH').map(meshHeading),
    publicationTypes,
    language: lines('LA').join(', '),
    url: pubmedUrl(pmid),
    flags: [
      ...new Set([
        ...recordFlags(
          links.map(([, link]) => link),
          publicationTypes,
        ),
        ...titleFlags(title),
      ]),
    ],
    bibliographic: {
      volume: line('VI'),
      issue: line('IP'),
      pages: line('PG'),
      issn: oneLine(values.first('IS')).replace(/\s*\(.*\)$/, ''),
      pmcid: line('PMC'),
    },
    ...(revised === null ? {} : { revised }),
  };
}

/** What PubMed prints where an article has no English title. */
const NO_TITLE = /^\[?(?:not available|in process citation)\]?\.?$/i;

function titleOf(title: string, transliterated: string): string {
  return title === '' || NO_TITLE.test(title) ? transliterated : title;
}

/** Persons (AU, else FAU) and groups (CN) in the order in which they stand. */
function authorsOf(values: TaggedValues): string[] {
  const short = values.all('AU', 'CN').map(oneLine);
  return values.first('AU') === '' ? values.all('FAU', 'CN').map(oneLine) : short;
}

function doiOf(identifiers: readonly string[]): string | null {
  for (const identifier of identifiers) {
    const doi = /^(.*\S)\s*\[doi\]$/i.exec(identifier)?.[1];
    const clean = doi === undefined ? null : cleanDoi(doi);
    if (clean !== null) return clean;
  }
  return null;
}

/** `20240305` or `2024/03/05 06:00` as `2024-03-05`. */
function dayOf(text: string): string | null {
  const [, year, month, day] = /^(\d{4})\D?(\d{2})\D?(\d{2})/.exec(text) ?? [];
  return year === undefined ? null : `${year}-${month ?? '01'}-${day ?? '01'}`;
}

/** `Epilepsy/*drug therapy/genetics`: a heading and its qualifiers, those of the main topic with a star. */
function meshHeading(text: string): ImportedRecord['mesh'][number] {
  const [descriptor = '', ...qualifiers] = text.split('/');
  const starred = (part: string) => part.trim().startsWith('*');
  const plain = (part: string) => part.trim().replace(/^\*/, '');
  return {
    descriptor: plain(descriptor),
    major: starred(descriptor),
    qualifiers: qualifiers.map((part) => ({ name: plain(part), major: starred(part) })),
  };
}
