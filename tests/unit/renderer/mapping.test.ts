import { describe, expect, it } from 'vitest';
import { assign, isPlain, mapArguments } from '../../../src/renderer/features/library/mapping.ts';
import type { TableColumn } from '../../../src/shared/domain/index.ts';

const column = (name: string, field: TableColumn['field'] = null): TableColumn => ({
  name,
  field,
  samples: [],
});

describe('the map of a table', () => {
  const columns = [column('Title', 'title'), column('Summary'), column('Abstract', 'abstract'), column('')];

  it('is asked for where titles or abstracts are not found', () => {
    expect(isPlain(columns)).toBe(true);
    expect(isPlain(columns.slice(0, 2))).toBe(false);
    expect(isPlain(columns.slice(1))).toBe(false);
  });

  it('gives a field to one column only', () => {
    const first = columns.map((c) => c.field);
    const second = assign(first, 1, 'abstract');
    expect(second).toEqual(['title', 'abstract', null, null]);
    expect(assign(second, 1, null)).toEqual(['title', null, null, null]);
  });

  it('says only what the names do not', () => {
    const first = columns.map((c) => c.field);
    expect(mapArguments(columns, first)).toEqual([]);
    expect(mapArguments(columns, assign(first, 1, 'abstract'))).toEqual([
      'Summary=abstract',
      'Abstract=none',
    ]);
  });
});
