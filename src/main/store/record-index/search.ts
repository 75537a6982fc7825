import type { Database } from 'better-sqlite3';
import type { SearchNode } from '../search-query.ts';
import { idsFrom } from './lists.ts';
import type { Postings } from './postings.ts';

/** A word, or the beginning of one, as `parseSearch` quotes it: letters and digits that are one word for FTS5 too. */
const WORD = /^"([a-z0-9]+)"( \*)?$/i;

/**
 * 1 by id, up to `size`, for the records that a search finds. Words are looked up in the index's own lists, which are
 * joined here; phrases, and what stands beside them, are asked of it as one question wherever it can be put as one.
 */
export function searchMarks(db: Database, postings: Postings, node: SearchNode, size: number): Uint8Array {
  const found = db
    .prepare<[string], string>(
      'SELECT json_group_array(rowid) FROM record_text_index WHERE record_text_index MATCH ?',
    )
    .pluck();
  const asked = (expression: string): Uint8Array => {
    const marked = new Uint8Array(size);
    const ids = idsFrom(found.get(expression) ?? '[]');
    for (let i = 0; i < ids.length; i++) marked[ids[i] ?? 0] = 1;
    return marked;
  };
  const marks = (part: SearchNode): Uint8Array => {
    if (part.type === 'text') {
      const [, word, star] = WORD.exec(part.match) ?? [];
      const listed = word === undefined ? null : postings.marks(word.toLowerCase(), star !== undefined, size);
      return listed ?? asked(part.match);
    }
    if (part.type === 'not') return complement(marks(part.node));
    const expression = part.type === 'and' && !isWords(part) ? matchExpression(part) : null;
    if (expression !== null) return asked(expression);
    return part.type === 'and' ? every(part.nodes.map(marks)) : any(part.nodes.map(marks));
  };
  return marks(node);
}

/** Whether a search has nothing but words in it. */
function isWords(node: SearchNode): boolean {
  if (node.type === 'text') return WORD.test(node.match);
  return node.type === 'not' ? isWords(node.node) : node.nodes.every(isWords);
}

function complement(marks: Uint8Array): Uint8Array {
  const others = new Uint8Array(marks.length);
  for (let id = 0; id < marks.length; id++) others[id] = 1 - (marks[id] ?? 0);
  return others;
}

function every(parts: readonly Uint8Array[]): Uint8Array {
  const all = (parts[0] ?? new Uint8Array()).slice();
  for (const part of parts.slice(1)) {
    for (let id = 0; id < all.length; id++) all[id] = (all[id] ?? 0) & (part[id] ?? 0);
  }
  return all;
}

function any(parts: readonly Uint8Array[]): Uint8Array {
  const all = (parts[0] ?? new Uint8Array()).slice();
  for (const part of parts.slice(1)) {
    for (let id = 0; id < all.length; id++) all[id] = (all[id] ?? 0) | (part[id] ?? 0);
  }
  return all;
}

/** The tree as one FTS5 expression; null where a NOT stands alone, which FTS5 has only beside something found. */
export function matchExpression(node: SearchNode): string | null {
  switch (node.type) {
    case 'text':
      return node.match;
    case 'not':
      return null;
    case 'or':
      return joined(node.nodes, ' OR ');
    case 'and': {
      const wanted = joined(
        node.nodes.filter((part) => part.type !== 'not'),
        ' AND ',
      );
      const unwanted = node.nodes.flatMap((part) => (part.type === 'not' ? [part.node] : []));
      if (unwanted.length === 0 || wanted === null) return wanted;
      const without = joined(unwanted, ' OR ');
      return without === null ? null : `(${wanted} NOT ${without})`;
    }
  }
}

function joined(nodes: readonly SearchNode[], operator: string): string | null {
  const parts = nodes.map(matchExpression);
  return parts.length === 0 || parts.includes(null) ? null : `(${parts.join(operator)})`;
}
