import { csv } from './csv.ts';
import { jsonl } from './jsonl.ts';
import { pubmedXml } from './pubmed-xml.ts';
import type { FileHead, ImportFormat } from './types.ts';

/** Every format that abstracts are imported from. Asked in this order; the strictest first. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [pubmedXml, jsonl, csv];

/** The format of a file by its first bytes, or null when it is none of ours. */
export function detectFormat(head: FileHead): ImportFormat | null {
  return unsupported(head) === null ? (IMPORT_FORMATS.find((format) => format.detect(head)) ?? null) : null;
}

interface Unsupported {
  readonly what: string;
  readonly next: string;
  readonly matches: (head: FileHead) => boolean;
}

const startsWith =
  (pattern: RegExp) =>
  ({ text }: FileHead): boolean =>
    text !== null && pattern.test(text);

/** Files that people do try to import, and what to do instead. */
const UNSUPPORTED: readonly Unsupported[] = [
  {
    what: 'is empty',
    next: 'Choose a file that holds articles.',
    matches: ({ bytes }) => bytes.length === 0,
  },
  {
    what: 'is a ZIP archive or a spreadsheet',
    next: 'Unpack it, or save the sheet as CSV.',
    matches: ({ bytes }) => bytes[0] === 0x50 && bytes[1] === 0x4b,
  },
  { what: 'is a PDF', next: 'Export the articles from PubMed as XML.', matches: startsWith(/^%PDF-/) },
  {
    what: 'is a web page, not the articles themselves',
    next: 'Save the search from PubMed as XML.',
    matches: startsWith(/^\s*(?:<!DOCTYPE\s+html|<html)/i),
  },
  {
    what: 'is in MEDLINE format',
    next: 'Export the same search from PubMed as XML.',
    matches: startsWith(/^\s*PMID ?- /),
  },
  {
    what: 'is in RIS format',
    next: 'Export the same references as CSV.',
    matches: startsWith(/^\s*TY {1,2}- /),
  },
  {
    what: 'is a JSON array',
    next: 'Write one JSON object a line.',
    matches: startsWith(/^\s*\[\s*[{\]]/),
  },
];

/** What a file that is none of ours is, where that can be told. */
export function unsupported(head: FileHead): Pick<Unsupported, 'what' | 'next'> | null {
  return UNSUPPORTED.find(({ matches }) => matches(head)) ?? null;
}
