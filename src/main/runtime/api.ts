import type { EpochPoint, ModelConfig, StepPoint, TrainingConfig } from '../../shared/domain/index.ts';
import type { AttributionTask } from '../engine/interp/attribution/types.ts';
import type { AttentionOutcome, AttentionOutcomeTask } from '../engine/interp/attentionOutcome.ts';
import type { PatchBlock, PatchCost, PatchTask } from '../engine/interp/types.ts';
import type { AttentionPattern } from '../engine/interp/views/attention.ts';
import type { DlaPrompt, DlaResult } from '../engine/interp/views/dla.ts';
import type { LensRequest, LensResult } from '../engine/interp/views/lens.ts';

export type { AttributionMethod } from '../engine/interp/attribution/types.ts';
export type { AttentionOutcome } from '../engine/interp/attentionOutcome.ts';
export type { PatchBlock, PatchCost, PatchPair, PatchSource, PatchTask } from '../engine/interp/types.ts';
export type { AttentionPattern } from '../engine/interp/views/attention.ts';
export type { DlaPrompt, DlaResult } from '../engine/interp/views/dla.ts';
export type { LensRequest, LensResult } from '../engine/interp/views/lens.ts';

/**
 * What the services ask of the compute process. Everything is token ids and numbers: text and
 * tokenizers stay with the services. Folders are Hugging Face model folders on this machine.
 * Calls with an AbortSignal end with a CancelledError between two runs of the model.
 */
export interface ComputeApi {
  info(): Promise<ComputeInfo>;
  selfCheck(): Promise<SelfCheckResult>;
  /** Opens (or finds) the sessions of a model; the time it took. */
  load(request: { folder: string }): Promise<{ config: ModelConfig; milliseconds: number }>;
  logits(request: LogitsRequest): Promise<LogitsResult>;
  /** Greedy continuation (temperature 0). Returns the new ids only. */
  generate(request: { folder: string; ids: number[]; tokens: number }): Promise<{ ids: number[] }>;
  /** Mean next-token cross-entropy in nats over real tokens (padding never counted). */
  evaluate(
    request: EvaluateRequest,
    options?: CallOptions<CountEvent>,
  ): Promise<{ loss: number; tokens: number }>;
  planPatch(request: PatchRequest): Promise<PatchPlanSummary>;
  patch(request: PatchRequest, options?: CallOptions<PatchBlock>): Promise<PatchDone>;
  /** What estimating by gradients will cost; as `planPatch`. */
  planAttribute(request: AttributeRequest): Promise<PatchPlanSummary>;
  /** Estimates effects by gradients, in the blocks of `patch`. */
  attribute(request: AttributeRequest, options?: CallOptions<PatchBlock>): Promise<PatchDone>;
  /** Logit lens of one prompt. */
  lens(request: LensRequest & { folder: string }): Promise<LensResult>;
  /** Direct logit attribution of prompts. */
  dla(request: { folder: string; prompts: readonly DlaPrompt[] }): Promise<DlaResult[]>;
  /** Attention patterns of some layers, prompt by prompt. */
  attention(request: AttentionRequest): Promise<AttentionPattern[]>;
  /** Attention of heads as the outcome of a joint patch, pair by pair and draw by draw. */
  attentionOutcome(
    request: AttentionOutcomeRequest,
    options?: CallOptions<AttentionOutcome>,
  ): Promise<{ milliseconds: number }>;
  train(request: TrainRequest, options?: CallOptions<TrainEvent>): Promise<TrainDone>;
  /** Forgets sessions of folders that were deleted or replaced; all without an argument. */
  release(request: { folder?: string }): Promise<void>;
}

export interface CallOptions<E> {
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: E) => void;
}

export interface CountEvent {
  readonly done: number;
  readonly total: number;
}

export interface ComputeInfo {
  readonly engine: string;
  readonly provider: string;
  readonly providers: readonly { name: string; available: boolean; note: string }[];
  readonly threads: number;
  readonly peakRssBytes: number;
  /** Set when the provider asked for could not be used and the CPU stands in. */
  readonly notice: string | null;
}

export interface SelfCheckResult {
  readonly ok: boolean;
  readonly maxError: number;
  readonly gflops: number;
  readonly milliseconds: number;
  readonly message: string;
}

export interface LogitsRequest {
  readonly folder: string;
  readonly prompts: readonly (readonly number[])[];
  /** Positions to read in each prompt; negative counts from the end. Omitted = last only. `all` = every position. */
  readonly positions?: readonly (readonly number[])[] | 'all';
}

export interface LogitsResult {
  /** Per prompt: [positions × vocabulary], row-major. */
  readonly logits: readonly Float32Array[];
  readonly vocabSize: number;
}

/** Sequences of equal length, row-major [count × length]; `lengths[i]` real tokens, the rest is padding. */
export interface TokenBlock {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly count: number;
  readonly length: number;
}

export interface EvaluateRequest {
  readonly folder: string;
  readonly data: TokenBlock;
  readonly batchSize: number;
}

export interface PatchRequest extends PatchTask {
  readonly folder: string;
  /** `packed` is the product; `naive` runs the whole model once per site and is the check on it. */
  readonly strategy?: 'packed' | 'naive';
}

export interface AttributeRequest extends AttributionTask {
  readonly folder: string;
}

export interface AttentionRequest {
  readonly folder: string;
  readonly prompts: readonly (readonly number[])[];
  readonly layers: readonly number[];
}

export interface AttentionOutcomeRequest extends AttentionOutcomeTask {
  readonly folder: string;
}

export interface PatchPlanSummary extends PatchCost {
  /** Expected time on this machine, from the measured speed of its matrix products. */
  readonly seconds: number;
}

export interface PatchDone {
  readonly loadMs: number;
  readonly sweepMs: number;
  readonly peakRssBytes: number;
  readonly provider: string;
  readonly threads: number;
}

export interface TrainRequest {
  /** Weights to start from. */
  readonly folder: string;
  /** Working folder of the run: checkpoints and state; may hold those of an earlier, killed attempt. */
  readonly workFolder: string;
  readonly train: TokenBlock;
  readonly validation: TokenBlock;
  readonly config: TrainingConfig;
  /** The end-of-text token, whose labels a configuration may mask; null where the tokenizer has none. */
  readonly eosTokenId: number | null;
  /** Continues from the newest complete checkpoint in `workFolder`, if there is one. */
  readonly resume: boolean;
  /** A prompt continued greedily after every epoch, so that a person sees what the model says. */
  readonly samplePrompt: readonly number[] | null;
  readonly sampleTokens: number;
}

export type TrainEvent =
  | {
      readonly type: 'resumed';
      readonly step: number;
      readonly epoch: number;
      /** All epochs so far, and the last steps before the checkpoint: they may not have been stored. */
      readonly epochs: readonly EpochPoint[];
      readonly steps: readonly StepPoint[];
      readonly best: {
        readonly folder: string;
        readonly epoch: number;
        readonly validationLoss: number;
      } | null;
    }
  | {
      readonly type: 'steps';
      readonly steps: readonly StepPoint[];
      readonly totalSteps: number;
      /** Bytes that went in and out of runs for each of these steps, on average. */
      readonly bytesPerStep: number;
    }
  | {
      readonly type: 'epoch';
      readonly point: EpochPoint;
      /** Folder of the checkpoint just written (a Hugging Face folder without the tokenizer). */
      readonly checkpoint: string;
      readonly sample: readonly number[] | null;
    };

export interface TrainDone {
  readonly bestFolder: string;
  readonly bestEpoch: number;
  readonly bestValidationLoss: number;
  readonly stoppedEarly: boolean;
  /** How steps were taken: each in runs of its own, or many in one run with the state on the device. */
  readonly pass: 'steps' | 'loop';
  /** What matrix products were computed in; float32 where half precision was asked for and gains nothing. */
  readonly precision: TrainingConfig['precision'];
  /** Steps without effect: the loss scale was too large. */
  readonly skippedSteps: number;
  /** Bytes that went in and out of runs for one step, on average of this attempt. */
  readonly bytesPerStep: number;
  readonly steps: number;
  readonly totalSteps: number;
  readonly seconds: number;
  readonly peakRssBytes: number;
}
