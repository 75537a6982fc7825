import type { Database } from 'better-sqlite3';
import type { SearchNode } from '../search-query.ts';
import { idsFrom } from './lists.ts';

/**
 * Ids of the records that a search finds. What holds no NOT is one question to the full-text index, which
 * joins its lists itself; a NOT is the complement among `size` ids.
 */
export function searchIds(db: Database, node: SearchNode, size: number): Uint32Array {
  const found = db
    .prepare<[string], string>(
      'SELECT json_group_array(rowid) FROM record_text_index WHERE record_text_index MATCH ?',
    )
    .pluck();
  const marks = (part: SearchNode): Uint8Array => {
    const expression = matchExpression(part);
    const marked = new Uint8Array(size);
    if (expression !== null) {
      for (const id of idsFrom(found.get(expression) ?? '[]')) marked[id] = 1;
      return marked;
    }
    if (part.type === 'not') {
      const inner = marks(part.node);
      return inner.map((value) => 1 - value);
    }
    if (part.type === 'text') return marked;
    const [first, ...others] = part.nodes.map(marks);
    if (first === undefined) return marked;
    for (const other of others) {
      for (let id = 0; id < size; id++) {
        const [a, b] = [first[id] ?? 0, other[id] ?? 0];
        first[id] = part.type === 'and' ? a & b : a | b;
      }
    }
    return first;
  };
  const whole = matchExpression(node);
  if (whole !== null) return idsFrom(found.get(whole) ?? '[]');
  const marked = marks(node);
  const ids: number[] = [];
  for (let id = 1; id < size; id++) if (marked[id] === 1) ids.push(id);
  return Uint32Array.from(ids);
}

/** The tree as one FTS5 expression; null when it holds a NOT, which FTS5 has between two terms only. */
export function matchExpression(node: SearchNode): string | null {
  switch (node.type) {
    case 'text':
      return node.match;
    case 'not':
      return null;
    case 'and':
    case 'or': {
      const parts = node.nodes.map(matchExpression);
      if (parts.includes(null)) return null;
      return `(${parts.join(node.type === 'and' ? ' AND ' : ' OR ')})`;
    }
  }
}
