/** A row of a table, whatever file it stands in. */
export interface TableRow {
  readonly cells: readonly string[];
  /** Line or row on which it begins, from 1. */
  readonly line: number;
}
