import { findTermRanges, type TermRange } from '../../../shared/text/terms.ts';

/** A piece of text; `term` is the index of the term it mentions, or null. */
export interface Segment {
  readonly text: string;
  readonly term: number | null;
}

/**
 * Splits a text at the mentions of terms, as counts and filters understand a mention (shared/text/terms);
 * a term that ends in `*` marks every word that begins with it. Joined, the segments are the text.
 */
export function highlight(text: string, terms: readonly string[]): Segment[] {
  const plain = terms.map((term) => (term.endsWith('*') ? '' : term));
  const ranges = withoutOverlaps([
    ...findTermRanges(text, plain),
    ...terms.flatMap((t, i) => beginnings(text, t, i)),
  ]);
  const segments: Segment[] = [];
  let from = 0;
  for (const { term, start, end } of ranges) {
    if (start > from) segments.push({ text: text.slice(from, start), term: null });
    segments.push({ text: text.slice(start, end), term });
    from = end;
  }
  if (from < text.length) segments.push({ text: text.slice(from), term: null });
  return segments;
}

/** Words of the text that begin with a term written as `spike*`. */
function beginnings(text: string, term: string, index: number): TermRange[] {
  const stem = term.slice(0, -1).trim();
  if (!term.endsWith('*') || stem === '') return [];
  const escaped = stem.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])${escaped}[\\p{L}\\p{N}]*`, 'giu');
  return [...text.matchAll(pattern)].map((match) => ({
    term: index,
    start: match.index,
    end: match.index + match[0].length,
  }));
}

function withoutOverlaps(ranges: readonly TermRange[]): TermRange[] {
  const kept: TermRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (range.start >= (kept.at(-1)?.end ?? 0)) kept.push(range);
  }
  return kept;
}

/** The words of a full-text query that are worth marking: no operators and quotes; `*` stays. */
export function queryWords(query: string): string[] {
  return query
    .replaceAll(/["()]/g, ' ')
    .split(/\s+/)
    .filter((word) => word.replace('*', '').length > 1 && !['OR', 'AND', 'NOT', 'NEAR'].includes(word));
}
