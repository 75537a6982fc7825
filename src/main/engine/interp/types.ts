import type { Direction, HookGrid, MetricName } from '../../../shared/domain/index.ts';

/** A clean/corrupted pair reduced to ids. Both prompts have the same number of tokens. */
export interface PatchPair {
  readonly id: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Token ids scored as the answer r and the wrong answer r′ (already reduced by the answer mode). */
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
  /** Position (from 0) at which the metric is read; equal in both prompts. */
  readonly read: number;
}

export interface PatchTask {
  readonly pairs: readonly PatchPair[];
  readonly grids: readonly HookGrid[];
  readonly direction: Direction;
  readonly metrics: readonly MetricName[];
  /** Blocks already stored, to be skipped on resume: `grid index:pair index`. */
  readonly done?: readonly string[];
  /** Upper limit of working memory for one packed batch. */
  readonly memoryBytes?: number;
}

/** All effects of one grid for one pair: the unit that is stored and resumed. */
export interface PatchBlock {
  readonly grid: number;
  readonly pair: number;
  /** Axes after `pair`, e.g. [layers, positions]. */
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
  /** Sites × pairs, structural zeros included. */
  readonly sites: number;
  /** Patched runs that have to be computed (sites that share a computation count once). */
  readonly runs: number;
  readonly structuralZeros: number;
  /** GEMM floating-point operations that remain (2 per multiply-add). */
  readonly floorFlops: number;
  /** Working memory of the largest packed batch, bytes. */
  readonly peakBytes: number;
  readonly blocks: number;
}
