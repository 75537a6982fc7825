import { csv } from './csv.ts';
import { jsonl } from './jsonl.ts';
import { nbib } from './nbib.ts';
import { pubmedXml, rootElement } from './pubmed-xml.ts';
import { ris } from './ris.ts';
import type { FileHead, ImportFormat } from './types.ts';
import { xlsx } from './xlsx.ts';
import { holds, isWorkbook, isZip } from './xlsx/detect.ts';

/**
 * Raised with every change by which a reader gives more, fewer or other items of a file that it read before: an import
 * that was interrupted before the change is not continued after it by counting items.
 */
export const READERS_VERSION = 2;

/** Every format that abstracts are imported from. Asked in this order; the strictest first. */
export const IMPORT_FORMATS: readonly ImportFormat[] = [xlsx, pubmedXml, nbib, ris, jsonl, csv];

/** The format of a file by its first bytes, or null when it is none of ours. */
export function detectFormat(head: FileHead): ImportFormat | null {
  return unsupported(head) === null ? (IMPORT_FORMATS.find((format) => format.detect(head)) ?? null) : null;
}

interface Unsupported {
  /** Default: IMPORT_FORMAT. */
  readonly code?: string;
  readonly what: string;
  readonly next: string;
  readonly matches: (head: FileHead) => boolean;
}

const startsWith =
  (pattern: RegExp) =>
  ({ text }: FileHead): boolean =>
    text !== null && pattern.test(text);

const withRoot =
  (pattern: RegExp) =>
  ({ text }: FileHead): boolean =>
    text !== null && pattern.test(rootElement(text) ?? '');

/** Files that people do try to import, and what to do instead. */
const UNSUPPORTED: readonly Unsupported[] = [
  {
    code: 'IMPORT_XML_NOT_PUBMED',
    what: 'is an answer of PubMed that holds no articles: a search, a summary or an error',
    next: 'Save the articles themselves from PubMed as XML.',
    matches: withRoot(/^(?:e[A-Z]\w*Result|eEfetchResult|ERROR)$/),
  },
  {
    code: 'IMPORT_XML_NOT_PUBMED',
    what: 'is a full text of PubMed Central',
    next: 'Save the same search from PubMed as XML; it has the abstracts.',
    matches: withRoot(/^(?:pmc-articleset|article)$/),
  },
  {
    what: 'is the text that PubMed shows (format "Abstract" or "Summary")',
    next: 'Save the same search from PubMed in the format "PubMed", or as XML.',
    matches: ({ text }) => text !== null && /^\s*1[.:] \S/.test(text) && /\bPMID: \d/.test(text),
  },
  {
    what: 'is a list of PMIDs, not of articles',
    next: 'Search PubMed for them and save the articles as XML.',
    matches: startsWith(/^\s*\d{1,8}\r?\n(?:\d{1,8}(?:\r?\n|$))*$/),
  },
  { what: 'is BibTeX', next: 'Export it as RIS.', matches: startsWith(/^\s*@\w+\s*\{/) },
  { what: 'is an EndNote export (.enw)', next: 'Export it as RIS.', matches: startsWith(/^\s*%0 /) },
  {
    code: 'IMPORT_XML_NOT_PUBMED',
    what: 'is a library of EndNote in XML',
    next: 'Export it as RIS.',
    matches: startsWith(/^\s*(?:<\?xml[^>]*>\s*)?<xml>\s*<records>/),
  },
  {
    what: 'is the plain text of Web of Science',
    next: 'Export it as RIS or as a tab-delimited file.',
    matches: startsWith(/^\s*FN (?:Clarivate|Thomson|ISI)/),
  },
  {
    what: 'is empty',
    next: 'Choose a file that holds articles.',
    matches: ({ bytes }) => bytes.length === 0,
  },
  {
    what: 'is an OpenDocument file',
    next: 'Save the sheet as .xlsx or CSV.',
    matches: ({ bytes }) => isZip(bytes) && holds(bytes, 'application/vnd.oasis.opendocument'),
  },
  {
    what: 'is a ZIP archive that is no Excel workbook',
    next: 'Unpack it and import the files in it.',
    matches: ({ bytes }) => isZip(bytes) && !isWorkbook(bytes),
  },
  {
    what: 'is an old Excel file (.xls) or a workbook with a password',
    next: 'Save it as .xlsx without a password, or as CSV.',
    matches: ({ bytes }) => [0xd0, 0xcf, 0x11, 0xe0].every((byte, i) => bytes[i] === byte),
  },
  { what: 'is a PDF', next: 'Export the articles from PubMed as XML.', matches: startsWith(/^%PDF-/) },
  {
    what: 'is a web page, not the articles themselves',
    next: 'Save the search from PubMed as XML.',
    matches: startsWith(/^\s*(?:<!DOCTYPE\s+html|<html)/i),
  },
  {
    what: 'is a JSON array',
    next: 'Write one JSON object a line.',
    matches: startsWith(/^\s*\[\s*[{\]]/),
  },
];

/** What a file that is none of ours is, where that can be told. */
export function unsupported(head: FileHead): Pick<Unsupported, 'code' | 'what' | 'next'> | null {
  return UNSUPPORTED.find(({ matches }) => matches(head)) ?? null;
}
