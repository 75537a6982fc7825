import { knownColumns } from '../table/columns.ts';

export interface Dialect {
  readonly delimiter: string;
  /** Characters before the header: the `sep=;` line that Excel writes. */
  readonly skip: number;
}

const DELIMITERS = [',', ';', '\t'] as const;

/**
 * The delimiter of a table from its start: the one under which most header cells carry a known column
 * name, then the one that gives most cells; a comma where there is only one column. Needs at least the
 * whole header record in `head`.
 */
export function sniffDialect(head: string): Dialect {
  const announced = /^sep=([,;\t])\r?\n/i.exec(head);
  if (announced !== null) return { delimiter: announced[1] ?? ',', skip: announced[0].length };
  let best = { delimiter: ',' as string, known: -1, cells: 0 };
  for (const delimiter of DELIMITERS) {
    const cells = headerCells(head, delimiter);
    const known = knownColumns(cells);
    if (known > best.known || (known === best.known && cells.length > best.cells)) {
      best = { delimiter, known, cells: cells.length };
    }
  }
  return { delimiter: best.delimiter, skip: 0 };
}

/** How long the `sep=;` line is that may stand before the header. */
export function announcedChars(head: string): number {
  return /^sep=[,;\t]\r?\n/i.exec(head)?.[0].length ?? 0;
}

/** Whether `head` holds a whole first record (a line end outside quotes). */
export function hasWholeHeader(head: string): boolean {
  return headerEnd(head) < head.length;
}

/** The cells of the first record under a delimiter, quotes removed. */
export function headerCells(head: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = '';
  let quoted = false;
  for (const character of head.slice(0, headerEnd(head))) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}

function headerEnd(head: string): number {
  let quoted = false;
  for (let i = 0; i < head.length; i += 1) {
    const character = head[i];
    if (character === '"') quoted = !quoted;
    else if (!quoted && (character === '\n' || character === '\r')) return i;
  }
  return head.length;
}
