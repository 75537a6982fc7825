import type { AbstractSection, ImportedRecord, Reject } from '../../shared/domain/index.ts';
import type { ImportItem } from './types.ts';

/** Cleaning shared by all formats: what a field of a record may look like, whatever the source wrote. */

/** 1 to 8 digits, also as `PMID: 123` or `123.0` (spreadsheets); null where it is none. */
export function cleanPmid(text: string): string | null {
  return /^\s*(?:pmid:?\s*)?0*([1-9]\d{0,7})(?:\.0*)?\s*$/i.exec(text)?.[1] ?? null;
}

/** The PMID in a link to PubMed, or null. */
export function pmidFromUrl(url: string): string | null {
  return /pubmed(?:\.ncbi\.nlm\.nih\.gov|\/)\/?(\d{1,8})(?:\D|$)/i.exec(url)?.[1] ?? null;
}

/** A DOI without resolver or label, as printed otherwise; null where it is none. */
export function cleanDoi(text: string): string | null {
  return /^\s*(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:?\s*)?(10\.\S+?)\s*$/i.exec(text)?.[1] ?? null;
}

/** The first four-digit year from 1500 to 2200 in a text (`1998 Dec-1999 Jan` is 1998); null without one. */
export function yearIn(text: string): number | null {
  for (const [digits] of text.matchAll(/\d{4}/g)) {
    const year = Number(digits);
    if (year >= 1500 && year <= 2200) return year;
  }
  return null;
}

export function pubmedUrl(pmid: string | null): string {
  return pmid === null ? '' : `https://pubmed.ncbi.nlm.nih.gov/${pmid}/`;
}

/** What spreadsheets and scripts write where there is no abstract. */
const NO_ABSTRACT = /^(?:nan|n\/?a|none|null|-+|\[?no abstract(?: available)?\.?\]?)$/i;

/** An abstract: lines kept, white space within them collapsed, empty lines and placeholders dropped. */
export function cleanAbstract(text: string): string {
  const cleaned = text
    .split(/\r\n?|\n/)
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
  return NO_ABSTRACT.test(cleaned) ? '' : cleaned;
}

/** White space of any kind collapsed to single spaces, none at the ends. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Structured sections as one text: `LABEL: text`, one a line. */
export function joinSections(sections: readonly AbstractSection[]): string {
  return sections.map(({ label, text }) => (label === null ? text : `${label}: ${text}`)).join('\n');
}

/** A record with nothing in it, to be filled by a format. */
export const EMPTY_RECORD: ImportedRecord = {
  pmid: null,
  version: 1,
  doi: null,
  title: '',
  abstract: '',
  sections: [],
  journal: '',
  year: null,
  date: '',
  authors: [],
  affiliations: [],
  keywords: [],
  mesh: [],
  publicationTypes: [],
  language: '',
  url: '',
  flags: [],
};

/** A record becomes an item: rejected, with the reason, when there is nothing to train on. */
export function recordItem(record: ImportedRecord, line: number): ImportItem {
  if (record.abstract !== '') return { type: 'record', record, line };
  const reason = record.title === '' ? 'Neither title nor abstract' : 'No abstract';
  return { type: 'reject', reject: { line, key: recordKey(record), reason } satisfies Reject };
}

/** What names a record in a list of rejects: PMID, DOI, or the start of its title. */
function recordKey(record: Pick<ImportedRecord, 'pmid' | 'doi' | 'title'>): string {
  if (record.pmid !== null) return `PMID ${record.pmid}`;
  return record.doi ?? record.title.slice(0, 80);
}

/** Values in order, without blanks and repetitions. */
export function unique(values: readonly string[]): string[] {
  return [...new Set(values.filter((value) => value !== ''))];
}
