import { z } from 'zod';
import { DatasetId, JobId, ModelId, Provenance, Timestamp, TrainingRunId } from './ids.ts';

/**
 * One fine-tuning configuration. Every choice on which the CLAP paper's text and its code differ is a
 * named option of its own (METHODS section 5).
 */
export const TrainingConfig = z.object({
  preset: z.enum(['I', 'II', 'quick', 'own']),
  epochs: z.number().int().min(1).max(10_000),
  /** Epochs without improvement before stopping; 0 = never stop early. */
  patience: z.number().int().min(0),
  learningRate: z.number().positive(),
  weightDecay: z.number().min(0),
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
  batchSize: z.number().int().positive(),
  evalBatchSize: z.number().int().positive(),
  accumulation: z.number().int().positive(),
  warmupSteps: z.number().int().min(0),
  /** Tokens per sequence. */
  sequenceLength: z.number().int().min(8),
  longAbstracts: z.enum(['chunk', 'truncate']),
  paddingInLoss: z.boolean(),
  schedule: z.enum(['linear-decay', 'constant-after-warmup']),
  /** Gradient-norm ceiling; 0 = no clipping. */
  clip: z.number().min(0),
  dropout: z.number().min(0).lt(1),
  precision: z.enum(['f32']),
  seed: z.number().int().nonnegative(),
});
export type TrainingConfig = z.infer<typeof TrainingConfig>;

const COMMON = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  batchSize: 8,
  evalBatchSize: 2,
  accumulation: 4,
  warmupSteps: 500,
  sequenceLength: 512,
  longAbstracts: 'truncate',
  schedule: 'linear-decay',
  clip: 1,
  dropout: 0.1,
  precision: 'f32',
  seed: 42,
} as const;

/** CLAP Tables 1 and 2 as the public code runs them, and a quick preset for desktops without a GPU. */
export const TRAINING_PRESETS: Readonly<Record<'I' | 'II' | 'quick', TrainingConfig>> = {
  I: {
    ...COMMON,
    preset: 'I',
    epochs: 30,
    patience: 3,
    learningRate: 5e-5,
    weightDecay: 0.01,
    paddingInLoss: true,
  },
  II: {
    ...COMMON,
    preset: 'II',
    epochs: 10,
    patience: 5,
    learningRate: 2e-5,
    weightDecay: 0.1,
    paddingInLoss: false,
  },
  // For small models made from scratch; the rate would harm a pretrained one. Tuned on the bundled sample (about
  // 300 abstracts of 80 words, 4 layers, width 128), whose facts it learns within these 470 steps.
  quick: {
    ...COMMON,
    preset: 'quick',
    epochs: 12,
    patience: 3,
    learningRate: 3e-3,
    weightDecay: 0.01,
    batchSize: 8,
    evalBatchSize: 16,
    accumulation: 1,
    warmupSteps: 40,
    sequenceLength: 128,
    paddingInLoss: false,
    dropout: 0,
  },
};

export const StepPoint = z.object({
  step: z.number().int().nonnegative(),
  epoch: z.number(),
  /** Mean cross-entropy of the optimizer step's batches, nats per counted token. */
  loss: z.number(),
  learningRate: z.number(),
  /** L2 norm over all gradients before clipping. */
  gradientNorm: z.number(),
  tokensPerSecond: z.number(),
});
export type StepPoint = z.infer<typeof StepPoint>;

export const EpochPoint = z.object({
  epoch: z.number().int().positive(),
  step: z.number().int().nonnegative(),
  trainLoss: z.number(),
  validationLoss: z.number(),
  best: z.boolean(),
});
export type EpochPoint = z.infer<typeof EpochPoint>;

export const TrainingStatus = z.enum(['queued', 'running', 'paused', 'complete', 'stopped', 'failed']);
export const TrainingRun = z.object({
  id: TrainingRunId,
  name: z.string(),
  baseModelId: ModelId,
  /** The kept checkpoint, once there is one. */
  modelId: ModelId.nullable(),
  datasetId: DatasetId,
  jobId: JobId.nullable(),
  config: TrainingConfig,
  status: TrainingStatus,
  createdAt: Timestamp,
  totalSteps: z.number().int().nonnegative(),
  step: z.number().int().nonnegative(),
  bestEpoch: z.number().int().nullable(),
  bestValidationLoss: z.number().nullable(),
  stoppedEarly: z.boolean(),
  warnings: z.array(z.string()),
  provenance: Provenance.nullable(),
});
export type TrainingRun = z.infer<typeof TrainingRun>;

/** Shown before a run starts. */
export const TrainingEstimate = z.object({
  sequences: z.number().int(),
  validationSequences: z.number().int(),
  tokens: z.number().int(),
  steps: z.number().int(),
  seconds: z.number(),
  /** Peak working memory in bytes. */
  memoryBytes: z.number(),
  fits: z.boolean(),
  warnings: z.array(z.string()),
});
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;
