import { createHash } from 'node:crypto';
import { Bibliographic, type ImportedRecord } from '../../shared/domain/index.ts';

const BIBLIOGRAPHIC_FIELDS = Bibliographic.keyof().options;

/**
 * Under which keys a record is the same as another, strongest first. Two records with an equal non-null
 * key are copies. Null where the record has nothing to compare.
 */
export interface IdentityKeys {
  readonly pmid: string | null;
  /** Lower-cased, without resolver prefix. */
  readonly doi: string | null;
  /** SHA-256 (hexadecimal) of the normalised title and abstract; null without an abstract. */
  readonly text: string | null;
}

export function identityKeys(
  record: Pick<ImportedRecord, 'pmid' | 'doi' | 'title' | 'abstract'>,
): IdentityKeys {
  const title = normaliseForIdentity(record.title);
  const abstract = normaliseForIdentity(stripCopyrightTail(record.abstract));
  return {
    pmid: record.pmid,
    doi: record.doi?.toLowerCase() ?? null,
    text: abstract === '' ? null : sha256(`${title}\n${abstract}`),
  };
}

/**
 * SHA-256 (hexadecimal) over every field of a record in a fixed order, but for the date of its last revision:
 * equal exactly when the source said the same, so that a changed copy of a known article can be told from an
 * unchanged one.
 */
export function contentHash(record: ImportedRecord): string {
  const fields = [
    record.pmid,
    record.version,
    record.doi,
    record.title,
    record.abstract,
    record.sections.map((s) => [s.label, s.nlmCategory, s.text]),
    (record.otherAbstracts ?? []).map((o) => [o.type, o.language, o.text]),
    record.journal,
    record.year,
    record.date,
    record.authors,
    record.affiliations,
    record.keywords,
    record.mesh.map((m) => [m.descriptor, m.major, m.qualifiers.map((q) => [q.name, q.major])]),
    record.publicationTypes,
    record.language,
    record.url,
    record.flags,
    BIBLIOGRAPHIC_FIELDS.map((field) => record.bibliographic?.[field] ?? ''),
  ];
  return sha256(JSON.stringify(fields));
}

/** What tells which of two copies is the newer. */
type CopyFacts = Pick<ImportedRecord, 'version' | 'year' | 'abstract' | 'revised'>;

/**
 * Which of two copies stands for both: negative when `a` does, positive when `b` does, 0 when nothing
 * tells them apart. The newer PubMed version wins, then the later revision where both are dated, then the
 * later year, then the longer abstract.
 */
export function compareCopies(a: CopyFacts, b: CopyFacts): number {
  return (
    b.version - a.version ||
    later(a.revised, b.revised) ||
    (b.year ?? 0) - (a.year ?? 0) ||
    b.abstract.length - a.abstract.length
  );
}

function later(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined || a === b) return 0;
  return a > b ? -1 : 1;
}

/** NFKD, letters and digits only, lower case: `Naïve CO₂-test` and `naive co2 test` become equal. */
function normaliseForIdentity(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase();
}

/** How far from the end of an abstract a publisher's copyright line may begin. */
const TAIL_CHARS = 400;
const COPYRIGHT_OPENINGS = [
  String.raw`\(?copyright\s*(?:©|\(c\)|\d{4})`,
  String.raw`©`,
  String.raw`\(c\)\s*(?:\d{4}|the\b|by\b)`,
  String.raw`\(?psyc ?info database record\b`,
  String.raw`this article is protected by copyright`,
  String.raw`published by \p{L}[^.]{0,80}\b(?:ltd|inc|bv|b\.v|gmbh|llc)\b`,
  String.raw`all rights reserved`,
];
const COPYRIGHT = new RegExp(String.raw`(?<![\p{L}\p{N}])(?:${COPYRIGHT_OPENINGS.join('|')})`, 'iu');

/**
 * An abstract without the publisher's copyright line that some databases append to it. A text of which
 * that line would be more than half is left whole.
 */
export function stripCopyrightTail(text: string): string {
  const from = Math.max(0, text.length - TAIL_CHARS);
  const match = COPYRIGHT.exec(text.slice(from));
  if (match === null || from + match.index < text.length / 2) return text;
  return text.slice(0, from + match.index).trimEnd();
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
