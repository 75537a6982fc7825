import { z } from 'zod';

/** Row identifiers are positive integers, branded so that a record's id never passes for a model's. */
const id = <B extends string>(_brand: B) => z.number().int().positive().brand<B>();

export const SourceId = id('SourceId');
export const RecordId = id('RecordId');
export const DatasetId = id('DatasetId');
export const ModelId = id('ModelId');
export const TrainingRunId = id('TrainingRunId');
export const PairSetId = id('PairSetId');
export const PairId = id('PairId');
export const SweepId = id('SweepId');
export const ComparisonId = id('ComparisonId');
export const ExternalResultId = id('ExternalResultId');
export const JobId = id('JobId');

export type SourceId = z.infer<typeof SourceId>;
export type RecordId = z.infer<typeof RecordId>;
export type DatasetId = z.infer<typeof DatasetId>;
export type ModelId = z.infer<typeof ModelId>;
export type TrainingRunId = z.infer<typeof TrainingRunId>;
export type PairSetId = z.infer<typeof PairSetId>;
export type PairId = z.infer<typeof PairId>;
export type SweepId = z.infer<typeof SweepId>;
export type ComparisonId = z.infer<typeof ComparisonId>;
export type ExternalResultId = z.infer<typeof ExternalResultId>;
export type JobId = z.infer<typeof JobId>;

/** ISO 8601 in UTC. */
export const Timestamp = z.string().min(20);
/** Lower-case hexadecimal SHA-256. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Carried by every row that a computation made, so that the figure can be made again and compared. */
export const Provenance = z.object({
  /** SHA-256 over the canonical JSON of all inputs (content hashes and parameters). */
  inputHash: Sha256,
  seed: z.number().int(),
  engine: z.string(),
  provider: z.string(),
  threads: z.number().int(),
  createdAt: Timestamp,
});
export type Provenance = z.infer<typeof Provenance>;
