import { z } from 'zod';
import { DatasetId, ModelId, PairSetId, Timestamp, TrainingRunId } from './ids.ts';

/** How rotation frequencies were stretched for contexts longer than those of pre-training. */
export const RotaryScaling = z.discriminatedUnion('type', [
  z.object({ type: z.literal('linear'), factor: z.number().positive() }),
  /** Llama 3.1: long wavelengths are stretched, short ones kept, those between interpolated. */
  z.object({
    type: z.literal('llama3'),
    factor: z.number().positive(),
    lowFrequencyFactor: z.number().positive(),
    highFrequencyFactor: z.number().positive(),
    /** Context of the pre-training, in tokens. */
    originalContext: z.number().int().positive(),
  }),
]);
export type RotaryScaling = z.infer<typeof RotaryScaling>;

/** Rotary position embedding (Su et al. 2021): the first `dims` of a head turn by position · base^(−2i/dims). */
export const Rotary = z.object({
  base: z.number().positive(),
  dims: z.number().int().positive(),
  /** Pairs are neighbours (GPT-J) or lie half a rotation apart (Llama, GPT-NeoX). */
  interleaved: z.boolean(),
  scaling: RotaryScaling.optional(),
});
export type Rotary = z.infer<typeof Rotary>;

/** Which linear layers have a bias, where a family leaves the choice to the model. */
export const LinearBiases = z.object({ qkv: z.boolean(), attentionOutput: z.boolean(), mlp: z.boolean() });
export type LinearBiases = z.infer<typeof LinearBiases>;

/** What the engine needs to know of a decoder, whatever its family. Sizes are in elements. */
export const ModelConfig = z.object({
  family: z.enum(['gpt2', 'llama', 'gpt_neox', 'gptj']),
  nLayer: z.number().int().positive(),
  nHead: z.number().int().positive(),
  /** Key/value heads under grouped queries; absent = one for each query head. */
  nKvHead: z.number().int().positive().optional(),
  /** Width of a head; absent = dModel / nHead. */
  headDim: z.number().int().positive().optional(),
  /** Absent where positions are learned embeddings. */
  rotary: Rotary.optional(),
  /** Absent in families that fix them. */
  biases: LinearBiases.optional(),
  /** Attention and MLP side by side, in families that leave the choice to the model. */
  parallel: z.boolean().optional(),
  dModel: z.number().int().positive(),
  dMlp: z.number().int().positive(),
  nCtx: z.number().int().positive(),
  vocabSize: z.number().int().positive(),
  layerNormEps: z.number().positive(),
  activation: z.enum(['gelu_new', 'gelu', 'relu', 'silu']),
  tiedEmbeddings: z.boolean(),
  bosTokenId: z.number().int().nonnegative().nullable(),
  eosTokenId: z.number().int().nonnegative().nullable(),
});
export type ModelConfig = z.infer<typeof ModelConfig>;

/** Width dh of one head. */
export const headWidth = (config: ModelConfig): number => config.headDim ?? config.dModel / config.nHead;
/** Number of key/value heads. */
export const kvHeads = (config: ModelConfig): number => config.nKvHead ?? config.nHead;
/** Whether the MLP has a gate beside its input projection: three matrices where others have two. */
export const isGated = (config: ModelConfig): boolean => config.family === 'llama';
/** Whether attention and MLP read the same residual stream side by side, so that there is no resid_mid. */
export const isParallel = (config: ModelConfig): boolean => config.parallel ?? config.family === 'gptj';

export const ModelEvaluation = z.object({
  datasetId: DatasetId.nullable(),
  /** Mean next-token cross-entropy (nats) on the held-out split, padding not counted. */
  validationLoss: z.number().nullable(),
  perplexity: z.number().nullable(),
  /** Share of pairs whose right answer beats the wrong one on the clean prompt. */
  pairAccuracy: z.array(
    z.object({ pairSetId: PairSetId, name: z.string(), right: z.number().int(), total: z.number().int() }),
  ),
  sample: z.object({ prompt: z.string(), text: z.string() }).nullable(),
});
export type ModelEvaluation = z.infer<typeof ModelEvaluation>;

export const ModelOrigin = z.enum(['imported', 'created', 'fine-tuned']);
export const Model = z.object({
  id: ModelId,
  name: z.string(),
  origin: ModelOrigin,
  parentId: ModelId.nullable(),
  trainingRunId: TrainingRunId.nullable(),
  config: ModelConfig,
  parameters: z.number().int().positive(),
  bytes: z.number().int().positive(),
  /** `none`, or e.g. `byte-level BPE, 50,257 tokens`. */
  tokenizer: z.string(),
  weightsHash: z.string(),
  createdAt: Timestamp,
  evaluation: ModelEvaluation.nullable(),
});
export type Model = z.infer<typeof Model>;

/** A line of the checklist shown when a folder is imported. */
export const ModelFolderCheck = z.object({
  item: z.string(),
  ok: z.boolean(),
  detail: z.string(),
});

/** Sizes offered when a small GPT-2 is created from scratch. */
export const CreateModelOptions = z.object({
  name: z.string().trim().min(1).max(80),
  nLayer: z.number().int().min(1).max(48),
  nHead: z.number().int().min(1).max(32),
  dModel: z.number().int().min(8).max(2048),
  nCtx: z.number().int().min(16).max(2048),
  /** `gpt2` = GPT-2's 50,257-token tokenizer; `sample` = the small BPE vocabulary trained on the sample. */
  tokenizer: z.enum(['gpt2', 'sample']),
  seed: z.number().int().nonnegative(),
});
export type CreateModelOptions = z.infer<typeof CreateModelOptions>;
