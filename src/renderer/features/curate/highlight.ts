/** A piece of text; `term` is the index of the term it mentions, or null. */
export interface Segment {
  readonly text: string;
  readonly term: number | null;
}

const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Splits a text at the mentions of terms, ignoring case. A mention is marked to the end of its word
 * (`seizure` marks `seizures`); where terms overlap the longer one wins. Joined, the segments are the text.
 */
export function highlight(text: string, terms: readonly string[]): Segment[] {
  const known = terms
    .map((term, index) => ({ term: term.trim(), index }))
    .filter(({ term }) => term !== '')
    .sort((a, b) => b.term.length - a.term.length);
  if (known.length === 0 || text === '') return text === '' ? [] : [{ text, term: null }];
  const pattern = new RegExp(known.map(({ term }) => `(${escape(term)}[\\p{L}\\p{N}]*)`).join('|'), 'giu');
  const segments: Segment[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const group = match.slice(1).findIndex((part) => Boolean(part));
    if (match.index > from) segments.push({ text: text.slice(from, match.index), term: null });
    segments.push({ text: match[0], term: known[group]?.index ?? null });
    from = match.index + match[0].length;
  }
  if (from < text.length) segments.push({ text: text.slice(from), term: null });
  return segments;
}

/** The words of a full-text query that are worth marking: no operators, quotes or stars. */
export function queryWords(query: string): string[] {
  return query
    .replaceAll(/["*()]/g, ' ')
    .split(/\s+/)
    .filter((word) => word.length > 1 && !['OR', 'AND', 'NOT', 'NEAR'].includes(word));
}
