import { z } from 'zod';
import { DatasetId, JobId, ModelId, Provenance, Timestamp, TrainingRunId } from './ids.ts';

/**
 * One fine-tuning configuration. Every choice on which the CLAP paper's text and its code differ is a
 * named option of its own (METHODS section 5).
 */
export const TrainingConfig = z.object({
  preset: z.enum(['I', 'II', 'quick', 'own', 'I-text', 'II-text']),
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
  /** `truncate`: cut off. `chunk`: continued in sequences of their own. `pack`: all texts in one row, then cut. */
  longAbstracts: z.enum(['chunk', 'truncate', 'pack']),
  /** Filler after a text counts as text. */
  paddingInLoss: z.boolean(),
  schedule: z.enum(['linear-decay', 'constant-after-warmup']),
  /** Gradient-norm ceiling; 0 = no clipping. */
  clip: z.number().min(0),
  dropout: z.number().min(0).lt(1),
  /** `mixed-f16`: matrix products in half precision where the provider gains from it; else as `f32`. */
  precision: z.enum(['f32', 'mixed-f16']),
  seed: z.number().int().nonnegative(),
  /** Every text is followed by the end-of-text token. */
  endOfText: z.boolean(),
  /** The end-of-text token counts as a next token; transformers' collator masks it where it also pads. */
  eosInLoss: z.boolean(),
  /** Filler is attended to by filler after it; with transformers' attention mask it is not. */
  paddingAttended: z.boolean(),
  /** What weight decay acts on: matrices and embeddings (transformers' Trainer), or every parameter. */
  decay: z.enum(['matrices', 'all']),
  /** Rate of step s (from 0) in the warm-up: s / warm-up (transformers), or (s + 1) / warm-up. */
  firstRate: z.enum(['zero', 'one-step']),
  /**
   * A step's loss: mean over its predicted tokens; the same sum over all its labels, the first of each sequence
   * included (transformers with GPT-2); or mean of its batches' means.
   */
  accumulationMean: z.enum(['tokens', 'batches', 'labels']),
  /** Validation loss: mean over tokens, or of batch means weighted by their sequences (transformers). */
  evaluationMean: z.enum(['tokens', 'batches']),
  /**
   * How batches are computed: `whole` ones in one graph, `layers`: whole ones layer by layer with each layer computed
   * anew on the way back, or `auto`: as the memory limit allows, in parts where it must be. Rounding apart, all give
   * the same run.
   */
  memoryMode: z.enum(['auto', 'whole', 'layers']),
});
export type TrainingConfig = z.infer<typeof TrainingConfig>;

/** Presets by name; `own` is what a changed preset becomes. */
export const PresetName = z.enum(['quick', 'I', 'I-text', 'II', 'II-text']);

/** Choices that older versions did not record, as those versions made them. */
const EARLIER = {
  endOfText: true,
  eosInLoss: true,
  paddingAttended: true,
  decay: 'matrices',
  firstRate: 'zero',
  accumulationMean: 'tokens',
} as const;
const earlierEvaluation = (preset: unknown): TrainingConfig['evaluationMean'] =>
  preset === 'I' || preset === 'II' ? 'batches' : 'tokens';

/** A stored configuration: one of an older version is completed with what that version did. */
export const StoredTrainingConfig = z.preprocess((value) => {
  if (typeof value !== 'object' || value === null) return value;
  const old: Readonly<Record<string, unknown>> = { memoryMode: 'auto', ...value };
  if ('endOfText' in value) return old;
  return {
    ...old,
    // The older `chunk` joined all texts.
    ...(old['longAbstracts'] === 'chunk' ? { longAbstracts: 'pack' } : {}),
    ...EARLIER,
    evaluationMean: earlierEvaluation(old['preset']),
  };
}, TrainingConfig);

/** A configuration as older versions wrote it, where they could; its JSON names a run across versions. */
export function earlierForm(given: TrainingConfig): object {
  const { memoryMode, ...others } = given;
  const config = memoryMode === 'auto' ? others : given;
  const known = new Map<string, unknown>([
    ...Object.entries(EARLIER),
    ['evaluationMean', earlierEvaluation(config.preset)],
  ]);
  const entries = Object.entries(config);
  const asThen = entries.every(([key, value]) => !known.has(key) || known.get(key) === value);
  if (!asThen || config.longAbstracts === 'chunk') return config;
  const old = Object.fromEntries(entries.filter(([key]) => !known.has(key)));
  return config.longAbstracts === 'pack' ? { ...old, longAbstracts: 'chunk' } : old;
}

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
  endOfText: false,
  eosInLoss: true,
  paddingAttended: false,
  decay: 'matrices',
  firstRate: 'zero',
  accumulationMean: 'labels',
  evaluationMean: 'batches',
  memoryMode: 'auto',
} as const;

/** CLAP Tables 1 and 2 as the public code runs them (transformers' Trainer). */
const CODE = {
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
    eosInLoss: false,
  },
} as const satisfies Record<string, TrainingConfig>;

/** Where the paper's text says something else than its code does; where it is silent, the code is followed. */
const TEXT = { longAbstracts: 'chunk', schedule: 'constant-after-warmup' } as const;

/** The study's two configurations in both readings, and one for desktops without a GPU. */
export const TRAINING_PRESETS: Readonly<Record<z.infer<typeof PresetName>, TrainingConfig>> = {
  // For small models made from scratch; the rate would harm a pretrained one. Tuned on the bundled sample (about
  // 300 abstracts of 80 words, 4 layers, width 128), whose facts it learns within these 470 steps.
  quick: {
    ...COMMON,
    ...EARLIER,
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
    evaluationMean: 'tokens',
  },
  I: CODE.I,
  'I-text': { ...CODE.I, ...TEXT, preset: 'I-text' },
  II: CODE.II,
  'II-text': { ...CODE.II, ...TEXT, preset: 'II-text' },
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

/** A change of the configuration that mends it, and what the run takes then. */
export const TrainingOffer = z.object({
  /**
   * `accumulate`: smaller batches, more of them a step. `recompute`: layer by layer. `auto`: as the limit allows.
   * `shorten`: shorter sequences. `warmup`: a warm-up that ends within the run.
   */
  kind: z.enum(['accumulate', 'recompute', 'auto', 'shorten', 'warmup']),
  change: z.object({
    batchSize: TrainingConfig.shape.batchSize.exactOptional(),
    accumulation: TrainingConfig.shape.accumulation.exactOptional(),
    memoryMode: TrainingConfig.shape.memoryMode.exactOptional(),
    sequenceLength: TrainingConfig.shape.sequenceLength.exactOptional(),
    warmupSteps: TrainingConfig.shape.warmupSteps.exactOptional(),
  }),
  memoryBytes: z.number(),
  seconds: z.number(),
});
export type TrainingOffer = z.infer<typeof TrainingOffer>;

/** Shown before a run starts. */
export const TrainingEstimate = z.object({
  sequences: z.number().int(),
  validationSequences: z.number().int(),
  /** Real tokens of one epoch. */
  tokens: z.number().int(),
  /** Tokens of the whole run, padding that is computed included, unless it stops early. */
  totalTokens: z.number().int(),
  steps: z.number().int(),
  seconds: z.number(),
  /** Peak working memory in bytes. */
  memoryBytes: z.number(),
  fits: z.boolean(),
  /** How gradients are computed: in one graph, or layer by layer; `rows` sequences at a time. Null = not at all. */
  memory: z.object({ mode: z.enum(['whole', 'layers']), rows: z.number().int().positive() }).nullable(),
  /** What training may use, in bytes. */
  limitBytes: z.number(),
  /** Changes that mend what is wrong with the run as asked, the nearest to it first. */
  offers: z.array(TrainingOffer),
  /** Configuration I as the study ran it, GPT-2 small on all its abstracts, on this machine. */
  fullStudy: z.object({
    tokens: z.number(),
    steps: z.number(),
    seconds: z.number(),
    memoryBytes: z.number(),
  }),
  /** Epochs that fit in the half hour that the desktop preset is meant for; null for other presets. */
  epochsInHalfHour: z.number().int().nonnegative().nullable(),
  warnings: z.array(z.string()),
});
export type TrainingEstimate = z.infer<typeof TrainingEstimate>;
