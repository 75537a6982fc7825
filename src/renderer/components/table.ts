/** One column of a DataTable or a table twin. */
export interface Column<T> {
  readonly key: string;
  readonly label: string;
  /** A grid track: `120px`, `minmax(0,1fr)`; default `minmax(60px,1fr)`. */
  readonly width?: string;
  readonly align?: 'left' | 'right';
  /** What is shown, and exported. */
  readonly text: (row: T) => string;
  /** What is sorted by; the text when absent. */
  readonly sort?: (row: T) => number | string | null;
}

export interface Sorting {
  readonly key: string;
  readonly descending: boolean;
}

/** Rows in the order asked for; rows without a value come last either way. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  sorting: Sorting | null,
): readonly T[] {
  const column = columns.find((c) => c.key === sorting?.key);
  if (sorting === null || column === undefined) return rows;
  const value = column.sort ?? column.text;
  const sign = sorting.descending ? -1 : 1;
  return [...rows].sort((x, y) => {
    const a = value(x);
    const b = value(y);
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * String(a).localeCompare(String(b), undefined, { numeric: true });
  });
}

/** RFC 4180 with a header row; every cell as shown. */
export function toCsv<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const quote = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [columns.map((c) => c.label), ...rows.map((row) => columns.map((c) => c.text(row)))];
  return `${lines.map((cells) => cells.map(quote).join(',')).join('\r\n')}\r\n`;
}
