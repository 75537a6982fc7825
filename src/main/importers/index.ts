export { parseColumnMap } from './table/columns.ts';
export { compareCopies, contentHash, identityKeys } from './identity.ts';
export { type OpenImport, openImport, type OpenOptions } from './open.ts';
export { IMPORT_FORMATS } from './registry.ts';
export type { ImportItem } from './types.ts';
