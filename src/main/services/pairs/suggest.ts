import { RecordFilter } from '../../../shared/contracts/index.ts';
import type { LengthMatch, PairLine } from '../../../shared/domain/index.ts';
import { encodePrompt, type EncodeContext } from '../../../shared/pairs/index.ts';
import type { Study } from '../../store/index.ts';

/** Abstracts read for words, words of a phrase at most, suggestions given. */
const ABSTRACTS = 400;
const LONGEST = 3;
const GIVEN = 8;
/** Phrases tried with the tokenizer, the most fitting first. */
const TRIED = 4000;

/** Words at whose edge no phrase begins or ends. */
const FUNCTION_WORDS = new Set(
  'the of and in to a an with for was were is are be been that by on or as from at not this these we it had has have which than'.split(
    ' ',
  ),
);

interface Phrase {
  readonly text: string;
  readonly from: LengthMatch['from'];
  readonly count: number;
  /** How often it follows the word that stands before the gap. */
  readonly fits: number;
}

/**
 * In-distribution replacements for the words of the corrupted prompt that differ from clean, such that both
 * prompts have equally many tokens: terms and answers of the study first, then phrases of its abstracts, those
 * first that follow the same word there. Empty for prompts of ids and for equal lengths.
 */
export function suggestLengthMatches(study: Study, line: PairLine, context: EncodeContext): LengthMatch[] {
  const { clean, corrupted } = line;
  if (typeof clean !== 'string' || typeof corrupted !== 'string') return [];
  const length = (text: string): number => encodePrompt(line.id, text, context).length;
  const wanted = length(clean);
  if (wanted === length(corrupted)) return [];
  const { before, ofClean, after } = difference(clean, corrupted);
  const last = /(\p{L}[\p{L}\p{N}-]*)\s*$/u.exec(before)?.[1]?.toLowerCase() ?? '';
  const found: LengthMatch[] = [];
  const tried = new Set([ofClean.trim().toLowerCase()]);
  for (const { text, from, count } of phrases(study, last).slice(0, TRIED)) {
    if (tried.has(text.toLowerCase())) continue;
    tried.add(text.toLowerCase());
    const gap = before === '' || /\s$/u.test(before) ? '' : ' ';
    const whole = `${before}${gap}${text}${after}`;
    if (length(whole) !== wanted) continue;
    found.push({ text, corrupted: whole, from, count });
    if (found.length === GIVEN) break;
  }
  return found;
}

/** The common beginning and end of two prompts, whole words each, and what clean has between them. */
function difference(clean: string, corrupted: string): { before: string; ofClean: string; after: string } {
  const parts = (text: string): string[] => text.match(/\s*(?:[\p{L}\p{N}'’-]+|[^\s\p{L}\p{N}])/gu) ?? [];
  const [a, b] = [parts(clean), parts(corrupted)];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  return {
    before: a.slice(0, start).join(''),
    ofClean: a.slice(start, a.length - end).join(''),
    after: a.slice(a.length - end).join(''),
  };
}

const RANK: Readonly<Record<LengthMatch['from'], number>> = { term: 0, pair: 1, abstract: 2 };

/** Phrases of the study: what stands after the same word first, then terms, answers, frequent ones. */
function phrases(study: Study, last: string): Phrase[] {
  const counts = countPhrases(study, last);
  const own = (text: string, from: LengthMatch['from']): Phrase => {
    const known = counts.get(text.toLowerCase());
    return { text, from, count: known?.count ?? 0, fits: known?.fits ?? 0 };
  };
  const terms = study.terms.active().map(({ text }) => own(text, 'term'));
  const answers = study.pairs
    .sets()
    .flatMap((set) => study.pairs.list(set.id))
    .flatMap(({ line }) => [...line.answer, ...line.wrong])
    .flatMap((answer) => (typeof answer === 'string' ? [own(answer.trim(), 'pair')] : []));
  const read = [...counts].map(([text, { count, fits }]): Phrase => ({
    text,
    from: 'abstract',
    count,
    fits,
  }));
  return [...terms, ...answers, ...read]
    .filter(({ text }) => text !== '')
    .toSorted((a, b) => RANK[a.from] - RANK[b.from] || b.fits - a.fits || b.count - a.count);
}

/** How often each phrase of up to three words stands in the newest abstracts, and how often after `last`. */
function countPhrases(study: Study, last: string): Map<string, { count: number; fits: number }> {
  const counts = new Map<string, { count: number; fits: number }>();
  for (const id of study.curation.ids(RecordFilter.parse({})).slice(0, ABSTRACTS)) {
    for (const clause of study.records
      .get(id)
      .abstract.toLowerCase()
      .split(/[^\p{L}\p{N}\s'’-]+/u)) {
      const words = clause.split(/\s+/u).filter((word) => /^\p{L}[\p{L}\p{N}'’-]*$/u.test(word));
      words.forEach((word, at) => {
        if (FUNCTION_WORDS.has(word)) return;
        for (let n = 1; n <= LONGEST && at + n <= words.length; n++) {
          if (FUNCTION_WORDS.has(words[at + n - 1] ?? '')) continue;
          const text = words.slice(at, at + n).join(' ');
          const known = counts.get(text) ?? { count: 0, fits: 0 };
          known.count += 1;
          if (words[at - 1] === last) known.fits += 1;
          counts.set(text, known);
        }
      });
    }
  }
  return counts;
}
