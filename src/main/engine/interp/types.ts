import type { Direction, HookGrid, MetricName } from '../../../shared/domain/index.ts';

/** Tokens [start, end) of a named span, in each prompt. */
export interface PatchSpan {
  readonly clean: readonly [number, number];
  readonly corrupted: readonly [number, number];
}

/** A clean/corrupted pair reduced to ids. */
export interface PatchPair {
  readonly id: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Token ids scored as the answer r and the wrong answer r′ (already reduced by the answer mode). */
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
  /** Position (from 0) at which the metric is read; in the clean prompt where the lengths differ. */
  readonly read: number;
  /** As `read`, in a corrupted prompt of another length. Such pairs can be patched span by span only. */
  readonly readCorrupted?: number | undefined;
  /** Tokens of the clean prompt that Gaussian noise corrupts; absent = those that differ. */
  readonly key?: readonly number[] | undefined;
  readonly spans?: Readonly<Record<string, PatchSpan>> | undefined;
  /**
   * Answer mode `sequence`: every alternative's tokens, scored under teacher forcing behind the prompt's read
   * position, which must be its last.
   */
  readonly sequences?:
    | { readonly answer: readonly (readonly number[])[]; readonly wrong: readonly (readonly number[])[] }
    | undefined;
  /** The prompt patched from, with the source `prompt`; as long as the target. */
  readonly donor?: readonly number[] | undefined;
}

/**
 * Where pasted activations come from. `pair`: the pair's other prompt. `prompt`: each pair's `donor`.
 * `zero`. `mean`: over all tokens of the reference prompts, or (`perPosition`) over the same position of
 * reference prompts long enough. `resample`: a reference prompt of the target's length, drawn by `seed`.
 * `model`: the same clean prompt run by another model of the same shape; both baselines are then of the
 * clean prompt: `clean` by the other model and `corrupted` by the patched one for denoising, the reverse for
 * noising.
 */
export type PatchSource =
  | { readonly kind: 'pair' | 'prompt' | 'zero' }
  | {
      readonly kind: 'mean';
      readonly reference: readonly (readonly number[])[];
      readonly perPosition: boolean;
    }
  | { readonly kind: 'resample'; readonly reference: readonly (readonly number[])[]; readonly seed: number }
  | { readonly kind: 'model'; readonly folder: string };

/**
 * Gaussian noise (ROME's causal tracing; METHODS section 3): the corrupted run is the clean prompt with
 * `scale` × SD × N(0, 1) added to the token embeddings of the key tokens, SD over all dimensions of the
 * embeddings of all key tokens of the task. The same draws for every site.
 */
export interface NoiseSpec {
  readonly draws: number;
  readonly scale: number;
  readonly seed: number;
}

export interface PatchTask {
  readonly pairs: readonly PatchPair[];
  readonly grids: readonly HookGrid[];
  readonly direction: Direction;
  readonly metrics: readonly MetricName[];
  /** Absent = the pair's other prompt. */
  readonly source?: PatchSource | undefined;
  /** Absent = the pair's own corrupted prompt (STR). */
  readonly noise?: NoiseSpec | undefined;
  /** Blocks already stored, to be skipped on resume: `grid index:pair index`. */
  readonly done?: readonly string[] | undefined;
  /** Per grid the cells to compute, by flat index; the others stay NaN. Absent or null = all. */
  readonly cells?: readonly (readonly number[] | null)[] | undefined;
  /** Upper limit of working memory for one packed batch. */
  readonly memoryBytes?: number | undefined;
}

/** All effects of one grid for one pair and noise draw: the unit that is stored and resumed. */
export interface PatchBlock {
  readonly grid: number;
  readonly pair: number;
  /** 0 without noise. */
  readonly draw: number;
  /** Axes after `pair` (and `draw`), e.g. [layers, positions]. */
  readonly shape: readonly number[];
  /** Per metric: the metric of the patched run, row-major; NaN where no value exists. */
  readonly raw: readonly Float64Array[];
  /** Per metric: the metric of the unpatched runs. */
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** 1 where source equals target by construction: effect exactly 0, nothing computed. */
  readonly zero: Uint8Array;
  /** 1 where the patch restores the source run by construction. */
  readonly trivial: Uint8Array;
}

/** What a task will cost. */
export interface PatchCost {
  /** Sites × pairs (× draws), structural zeros included. */
  readonly sites: number;
  /** Groups of pairs whose unpatched runs are packed together. */
  readonly groups: number;
  /** Unpatched runs: target, other prompt and donor of every pair. */
  readonly baseRuns: number;
  /** Patched runs that have to be computed (sites that share a computation count once). */
  readonly runs: number;
  readonly structuralZeros: number;
  /** Rows (tokens) that pass a whole block, summed over blocks: the size of the packed suffixes. */
  readonly blockRows: number;
  /** Packed batches under the memory limit. */
  readonly batches: number;
  /** GEMM floating-point operations that remain (2 per multiply-add). */
  readonly floorFlops: number;
  /** Working memory of the largest packed batch, bytes. */
  readonly peakBytes: number;
  readonly blocks: number;
}
