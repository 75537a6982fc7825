import { z } from 'zod';
import { DatasetId, RecordId, Timestamp } from './ids.ts';

/** Term count: total mentions, and the number of articles with at least one. */
export const TermCount = z.object({
  term: z.string(),
  mentions: z.number().int().nonnegative(),
  articles: z.number().int().nonnegative(),
});
export type TermCount = z.infer<typeof TermCount>;

export const DEFAULT_TERMS = ['epilepsy', 'EEG', 'seizure'] as const;

/** identified -> duplicates -> excluded by reason -> included (PRISMA flow). */
export const FlowCount = z.object({
  read: z.number().int().nonnegative(),
  rejected: z.number().int().nonnegative(),
  duplicates: z.number().int().nonnegative(),
  screened: z.number().int().nonnegative(),
  excluded: z.number().int().nonnegative(),
  excludedByReason: z.array(z.object({ reason: z.string(), count: z.number().int().nonnegative() })),
  maybe: z.number().int().nonnegative(),
  undecided: z.number().int().nonnegative(),
  included: z.number().int().nonnegative(),
});
export type FlowCount = z.infer<typeof FlowCount>;

export const FreezeOptions = z.object({
  name: z.string().trim().min(1).max(120),
  /** Full-text query that limits the version; empty = all. */
  query: z.string().default(''),
  /** Whether records nobody decided on count as included. */
  includeUndecided: z.boolean().default(true),
  testFraction: z.number().gt(0).lt(1).default(0.2),
  seed: z.number().int().nonnegative().default(42),
  /** What of a record is trained on. */
  text: z.enum(['abstract', 'title-and-abstract']).default('title-and-abstract'),
});
export type FreezeOptions = z.infer<typeof FreezeOptions>;

/** Near-copies across the split: texts to train on that nearly repeat a held-out one. */
export const NearCopyReport = z.object({
  /** Jaccard similarity of five-word shingles from which two texts count as near-copies. */
  threshold: z.number(),
  /** Held-out texts that have one. */
  heldOut: z.number().int().nonnegative(),
  /** Pairs in all. */
  pairs: z.number().int().nonnegative(),
  /** The most similar ones. */
  examples: z.array(z.object({ train: RecordId, validation: RecordId, similarity: z.number() })),
});
export type NearCopyReport = z.infer<typeof NearCopyReport>;

/** An immutable version: query, decisions and split at one moment. */
export const Dataset = z.object({
  id: DatasetId,
  name: z.string(),
  version: z.number().int().positive(),
  createdAt: Timestamp,
  options: FreezeOptions,
  nTrain: z.number().int().nonnegative(),
  nValidation: z.number().int().nonnegative(),
  flow: FlowCount,
  terms: z.array(TermCount),
  /** SHA-256 over the texts in order and the split. */
  hash: z.string(),
  /** Null where it was frozen before this was checked. */
  nearCopies: NearCopyReport.nullable().default(null),
});
export type Dataset = z.infer<typeof Dataset>;

export const DatasetSplit = z.enum(['train', 'validation']);
export const DatasetMember = z.object({
  recordId: RecordId,
  ordinal: z.number().int().nonnegative(),
  split: DatasetSplit,
  text: z.string(),
});
export type DatasetMember = z.infer<typeof DatasetMember>;
