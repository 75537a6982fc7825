export { verifyChecksum } from './checksum.ts';
export { compareCopies, contentHash, identityKeys } from './identity.ts';
export { type OpenImport, openImport, type OpenOptions } from './open.ts';
export { type ImportPlan, type NamedFile, planImport, type PlannedFile } from './plan.ts';
export { IMPORT_FORMATS, READERS_VERSION } from './registry.ts';
export { parseColumnMap } from './table/columns.ts';
export { readResults } from './results/read.ts';
export { previewTable } from './table/preview.ts';
export type { ImportItem } from './types.ts';
