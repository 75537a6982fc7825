export { createStudy, openStudy, isStudyFolder, type Study } from './study.ts';
export { hashFile } from './artifacts.ts';
export type { BatchCounts } from './repositories/sources.ts';
export type { NewRecord } from './repositories/records.ts';
export type { NewModel } from './repositories/models.ts';
export { SweepInput } from './repositories/sweeps.ts';
export type { NewBlock, StoredBlock } from './repositories/blocks.ts';
export type { StoredJob, JobUpdate } from './repositories/jobs.ts';
export type { DatasetDraft } from './repositories/datasets.ts';
