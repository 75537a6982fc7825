import type { Database } from 'better-sqlite3';
import type { SearchNode } from '../search-query.ts';
import { idsFrom } from './lists.ts';

/**
 * Ids of the records that a search finds. One question to the full-text index, which joins its lists itself,
 * wherever it can be put as one; a NOT that stands alone is the complement among `size` ids.
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
      const ids = idsFrom(found.get(expression) ?? '[]');
      for (let i = 0; i < ids.length; i++) marked[ids[i] ?? 0] = 1;
      return marked;
    }
    if (part.type === 'not') {
      const inner = marks(part.node);
      for (let id = 0; id < size; id++) marked[id] = inner[id] === 0 ? 1 : 0;
      return marked;
    }
    if (part.type === 'text') return marked;
    const both = part.type === 'and';
    if (both) marked.fill(1);
    for (const node of part.nodes) {
      const other = marks(node);
      for (let id = 0; id < size; id++) {
        if (both) marked[id] = marked[id] === 1 && other[id] === 1 ? 1 : 0;
        else if (other[id] === 1) marked[id] = 1;
      }
    }
    return marked;
  };
  const whole = matchExpression(node);
  if (whole !== null) return idsFrom(found.get(whole) ?? '[]');
  const marked = marks(node);
  const ids = new Uint32Array(size);
  let n = 0;
  for (let id = 1; id < size; id++) if (marked[id] === 1) ids[n++] = id;
  return ids.subarray(0, n);
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
