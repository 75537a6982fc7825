import type { TableColumn, TableField } from '../../../shared/domain/index.ts';

/** A table whose columns a person has to name before it can be imported. */
export interface UnmappedTable {
  readonly handle: string;
  readonly name: string;
  readonly label: string;
  readonly columns: readonly TableColumn[];
}

/** What each column is taken for, by its place; null = left out. */
export type Mapping = readonly (TableField | null)[];

/** Whether the columns alone say where titles and abstracts are. */
export function isPlain(columns: readonly TableColumn[]): boolean {
  const found = new Set(columns.map((column) => column.field));
  return found.has('title') && found.has('abstract');
}

/** The mapping with a column set to a field, which no other column keeps. */
export function assign(mapping: Mapping, place: number, field: TableField | null): Mapping {
  return mapping.map((old, i) => {
    if (i === place) return field;
    return old === field ? null : old;
  });
}

/** What differs from what the columns' names say, as `COLUMN=FIELD`; `none` leaves a column out. */
export function mapArguments(columns: readonly TableColumn[], mapping: Mapping): string[] {
  return columns.flatMap(({ name, field }, i) => {
    const chosen = mapping[i] ?? null;
    return chosen === field || name === '' ? [] : [`${name}=${chosen ?? 'none'}`];
  });
}
