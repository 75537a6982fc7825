/** One step of the schema, from `version - 1` to `version`. Never edited once released. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
