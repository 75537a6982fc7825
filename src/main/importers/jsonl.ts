import { z } from 'zod';
import { ImportedRecord } from '../../shared/domain/index.ts';
import { FormatError } from '../../shared/errors/index.ts';
import { splitLines, type Line } from './bytes.ts';
import { decodeText } from './decode.ts';
import {
  cleanAbstract,
  cleanDoi,
  cleanPmid,
  EMPTY_RECORD,
  joinSections,
  pubmedUrl,
  recordItem,
  unique,
  yearIn,
} from './fields.ts';
import { titleFlags } from './flags.ts';
import type { FileHead, ImportContext, ImportFormat, ImportItem } from './types.ts';

const text = z.union([z.string(), z.number().transform(String)]);
const list = z.union([z.array(z.string()), z.string().transform((value) => value.split(';'))]);

/**
 * One line: the fields of a record as Engram exports them, and the looser forms that others write (numbers
 * for text, one string for a list, no sections). Fields of other names are ignored.
 */
const JsonRecord = ImportedRecord.partial().extend({
  pmid: text.optional(),
  doi: text.optional(),
  year: text.optional(),
  date: text.optional(),
  authors: list.optional(),
  keywords: list.optional(),
});
type JsonRecord = z.infer<typeof JsonRecord>;

/** JSON Lines: one object {pmid, title, abstract, …} a line. */
export const jsonl: ImportFormat = { kind: 'jsonl', label: 'JSON Lines', detect, read };

function detect({ text: head }: FileHead): boolean {
  return head !== null && /^\s*\{/.test(head);
}

async function* read(bytes: AsyncIterable<Uint8Array>, { name }: ImportContext): AsyncGenerator<ImportItem> {
  let valid = 0;
  let firstFault: { readonly line: number; readonly reason: string } | null = null;
  for await (const line of splitLines(decodeText(bytes, { name }), name)) {
    if (line.text.trim() === '') continue;
    const parsed = parseLine(line);
    if ('reason' in parsed) {
      firstFault ??= { line: line.number, reason: parsed.reason };
      const reject = { line: line.number, key: line.text.slice(0, 80), reason: parsed.reason };
      yield { type: 'reject', reject };
    } else {
      valid += 1;
      yield recordItem(toRecord(parsed.value), line.number);
    }
  }
  if (valid === 0 && firstFault !== null) {
    throw new FormatError(
      'IMPORT_JSONL_NO_RECORD',
      `${name} has no line that is a record; line ${firstFault.line}: ${firstFault.reason}.`,
      'Write one JSON object a line, with at least "title" and "abstract".',
    );
  }
}

function parseLine(line: Line): { readonly value: JsonRecord } | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return { reason: 'Not valid JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'Not a JSON object' };
  const present = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  const parsed = JsonRecord.safeParse(present);
  if (parsed.success) return { value: parsed.data };
  const issue = parsed.error.issues[0];
  return { reason: `Field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}` };
}

function toRecord(value: JsonRecord): ImportedRecord {
  const pmid = cleanPmid(value.pmid ?? '');
  const sections = value.sections ?? [];
  const abstract = cleanAbstract(value.abstract ?? joinSections(sections));
  const unlabelled = abstract === '' ? [] : [{ label: null, nlmCategory: null, text: abstract }];
  return {
    ...EMPTY_RECORD,
    pmid,
    version: value.version ?? 1,
    doi: cleanDoi(value.doi ?? ''),
    title: (value.title ?? '').replace(/\s+/g, ' ').trim(),
    abstract,
    sections: sections.length > 0 ? sections : unlabelled,
    ...(value.otherAbstracts === undefined ? {} : { otherAbstracts: value.otherAbstracts }),
    journal: (value.journal ?? '').trim(),
    year: yearIn(value.year ?? value.date ?? ''),
    date: value.date ?? value.year ?? '',
    authors: trimmed(value.authors),
    affiliations: trimmed(value.affiliations),
    keywords: trimmed(value.keywords),
    mesh: value.mesh ?? [],
    publicationTypes: trimmed(value.publicationTypes),
    language: value.language ?? '',
    url: value.url ?? pubmedUrl(pmid),
    flags: value.flags ?? titleFlags(value.title ?? ''),
    ...(value.bibliographic === undefined ? {} : { bibliographic: value.bibliographic }),
    ...(value.revised === undefined ? {} : { revised: value.revised }),
  };
}

function trimmed(values: readonly string[] | undefined): string[] {
  return unique((values ?? []).map((value) => value.trim()));
}
