import { z } from 'zod';
import { backendFault, damaged, Passing, refused } from './errors.ts';
import { ask, type EutilsLink } from './request.ts';

/** One request lists no more, whatever it is asked (10,000 on paper, 9,999 in practice). */
export const MOST_LISTED = 9_999;

/** The part of a search to list: days on which articles entered PubMed (`YYYY/MM/DD`), and PMIDs; both ends count. */
export interface Slice {
  readonly from: string;
  readonly to: string;
  readonly lowest: number | null;
  readonly highest: number | null;
}

export interface SearchAnswer {
  /** Articles that match. */
  readonly count: number;
  /** How PubMed understood the query. */
  readonly translation: string;
  /** What it did not find or ignored, one sentence each. */
  readonly warnings: readonly string[];
  readonly pmids: readonly string[];
}

const Whole = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().nonnegative());
const Words = z.array(z.string()).catch([]);
const Result = z.object({
  count: Whole,
  idlist: z.array(z.string().regex(/^[1-9]\d{0,7}$/)),
  querytranslation: z.string().catch(''),
  warninglist: z
    .object({ phrasesignored: Words, quotedphrasesnotfound: Words, outputmessages: Words })
    .partial()
    .catch({}),
  errorlist: z.object({ phrasesnotfound: Words, fieldsnotfound: Words }).partial().catch({}),
});
const Failure = z.object({ ERROR: z.string() });
const Answer = z.object({ esearchresult: z.unknown() });
const Limited = z.object({ error: z.string() });

/** What of a query's words PubMed will always refuse, so that asking again is of no use. */
const REFUSALS =
  /retstart|term is missing|empty term|invalid (?:db|query|term|field)|too (?:long|many)|query.*syntax/i;

/** Asks how many articles match, and for the first `most` PMIDs. Never takes a failure for an empty answer. */
export function esearch(
  link: EutilsLink,
  query: string,
  slice: Slice | null,
  most: number,
): Promise<SearchAnswer> {
  const limited = slice !== null && slice.lowest !== null && slice.highest !== null;
  const fields = {
    term: limited ? `(${query}) AND ${slice.lowest}:${slice.highest}[UID]` : query,
    retmode: 'json',
    retstart: '0',
    retmax: String(most),
    ...(slice === null ? {} : { datetype: 'edat', mindate: slice.from, maxdate: slice.to }),
  };
  return ask(link, 'esearch.fcgi', fields, (body) => readAnswer(body, most));
}

function readAnswer(body: Uint8Array, most: number): SearchAnswer {
  const text = new TextDecoder().decode(body);
  const parsed = parseJson(text);
  if (parsed === undefined) throw new Passing(damaged(nameOf(text)));
  const limited = Limited.safeParse(parsed);
  if (limited.success) throw new Passing(backendFault(limited.data.error));
  const inner = Answer.safeParse(parsed).data?.esearchresult;
  const failure = Failure.safeParse(inner);
  if (failure.success) {
    const words = failure.data.ERROR;
    throw REFUSALS.test(words) ? refused(words) : new Passing(backendFault(words));
  }
  const result = Result.safeParse(inner);
  if (!result.success) throw new Passing(damaged('a list of another form than PubMed’s', result.error));
  const { count, idlist, querytranslation, warninglist, errorlist } = result.data;
  const expected = Math.min(count, most);
  // Ten thousand asked for are adjusted to 9,999; anything less is a list that was cut.
  if (idlist.length < Math.min(expected, MOST_LISTED)) {
    throw new Passing(damaged(`${idlist.length} of ${expected} PMIDs`));
  }
  return {
    count,
    translation: querytranslation,
    pmids: idlist,
    warnings: [
      ...(errorlist.phrasesnotfound ?? []).map((p) => `“${p}” was not found.`),
      ...(errorlist.fieldsnotfound ?? []).map((f) => `There is no field “${f}”.`),
      ...(warninglist.phrasesignored ?? []).map((p) => `“${p}” was ignored.`),
      ...(warninglist.quotedphrasesnotfound ?? []).map((p) => `The phrase ${p} was not found.`),
      ...(warninglist.outputmessages ?? []).filter((m) => !/^Restrictions achieved/.test(m)),
    ],
  };
}

/** JSON as PubMed writes it: messages of its own errors come with raw line breaks inside strings. */
function parseJson(text: string): unknown {
  for (const candidate of [text, text.replace(/\p{Cc}/gu, ' ')]) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      continue;
    }
  }
  return undefined;
}

function nameOf(text: string): string {
  if (/^\s*(?:<!DOCTYPE\s+html|<html|<head)/i.test(text)) return 'a web page instead of a list';
  return text.trim() === '' ? 'nothing' : 'a list that breaks off';
}
