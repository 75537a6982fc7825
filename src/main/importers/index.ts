export { type ColumnMap, type CsvField, parseColumnMap } from './csv/columns.ts';
export { compareCopies, contentHash, type IdentityKeys, identityKeys } from './identity.ts';
export { type OpenImport, openImport, type OpenOptions } from './open.ts';
export { IMPORT_FORMATS } from './registry.ts';
export type { ImportContext, ImportFormat, ImportItem } from './types.ts';
