import { describe, expect, it } from 'vitest';
import { type Column, sortRows, toCsv } from '../../../src/renderer/components/table.ts';

interface Row {
  name: string;
  n: number | null;
}
const columns: readonly Column<Row>[] = [
  { key: 'name', label: 'Name', text: (r) => r.name },
  { key: 'n', label: 'n', text: (r) => String(r.n ?? '–'), sort: (r) => r.n },
];
const rows: readonly Row[] = [
  { name: 'S-10', n: 2 },
  { name: 'S-9', n: null },
  { name: 'a, "b"', n: -1 },
];

describe('tables', () => {
  const names = (key: string, descending: boolean) =>
    sortRows(rows, columns, { key, descending }).map((r) => r.name);
  it('sort numbers as numbers, and keep missing values last either way', () => {
    expect(names('n', false)).toEqual(['a, "b"', 'S-10', 'S-9']);
    expect(names('n', true)).toEqual(['S-10', 'a, "b"', 'S-9']);
  });
  it('sort labels with numbers in them naturally', () => {
    expect(names('name', false)).toEqual(['a, "b"', 'S-9', 'S-10']);
  });
  it('keep their order without a sorting', () => {
    expect(sortRows(rows, columns, null)).toBe(rows);
  });
  it('quote commas and quotes in CSV', () => {
    expect(toCsv(rows, columns)).toBe('Name,n\r\nS-10,2\r\nS-9,–\r\n"a, ""b""",-1\r\n');
  });
});
