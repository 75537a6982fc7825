import type { Direction } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { Mt19937 } from '../random/index.ts';
import type { Noise } from './noise.ts';
import type { PatchPair, PatchTask } from './types.ts';

/** One prompt as it is run. */
export interface PromptRun {
  readonly ids: readonly number[];
  /** Added to token embeddings. */
  readonly noise: Noise | null;
  /** Positions at which the final rows are read, ascending; the last ends the run. */
  readonly reads: readonly number[];
}

/**
 * A pair as the engine runs it: with Gaussian noise one case a draw, with sequence answers one case an
 * alternative (the alternative's tokens follow both prompts).
 */
export interface PatchCase {
  readonly pair: number;
  readonly draw: number;
  /** Index into `[...sequences.answer, ...sequences.wrong]`; 0 without. */
  readonly continuation: number;
  /** The run patched into, and the pair's other run. */
  readonly target: PromptRun;
  readonly other: PromptRun;
  /** The run patched from, where it is neither. */
  readonly donor: PromptRun | null;
  /** With a continuation: the token that each read position should predict. */
  readonly scored: readonly number[] | null;
  /** Tokens of the target's prompt: the positions that can be patched. */
  readonly tokens: number;
}

/** Cases of one pair, draw by draw. `noise` gives the values of a draw (see `noise.ts`). */
export function casesOf(
  task: PatchTask,
  index: number,
  noise: (pair: number, draw: number) => Noise,
): PatchCase[] {
  const pair = task.pairs[index];
  if (pair === undefined) return [];
  const draws = task.noise?.draws ?? 1;
  const continuations: readonly (readonly number[] | null)[] =
    pair.sequences === undefined ? [null] : [...pair.sequences.answer, ...pair.sequences.wrong];
  return Array.from({ length: draws }, (_, draw) =>
    continuations.map((continuation, c): PatchCase => {
      const run = (ids: readonly number[], read: number, added: Noise | null): PromptRun => ({
        ids: continuation === null ? ids : [...ids, ...continuation.slice(0, -1)],
        noise: added,
        reads: continuation === null ? [read] : continuation.map((_token, i) => read + i),
      });
      const byModel = task.source?.kind === 'model';
      const clean = run(pair.clean, pair.read, null);
      const corrupted =
        task.noise !== undefined
          ? run(pair.clean, pair.read, noise(index, draw))
          : byModel
            ? clean
            : run(pair.corrupted, pair.readCorrupted ?? pair.read, null);
      const [target, other] = byDirection(task.direction, clean, corrupted);
      const donated = donorIds(task, pair, index);
      return {
        pair: index,
        draw,
        continuation: c,
        target,
        other,
        donor: donated === null ? null : run(donated, target.reads[0] ?? pair.read, null),
        scored: continuation,
        tokens:
          target === clean || task.noise !== undefined || byModel ? pair.clean.length : pair.corrupted.length,
      };
    }),
  ).flat();
}

/** [target, source] of two things that belong to the clean and the corrupted prompt. */
export function byDirection<T>(direction: Direction, clean: T, corrupted: T): [target: T, other: T] {
  return direction === 'denoising' ? [corrupted, clean] : [clean, corrupted];
}

/** The prompt of a `prompt` or `resample` source. @throws UserInputError DONOR_MISSING, DONOR_LENGTH. */
function donorIds(task: PatchTask, pair: PatchPair, index: number): readonly number[] | null {
  const { source } = task;
  const target = byDirection(
    task.direction,
    pair.clean,
    task.noise === undefined ? pair.corrupted : pair.clean,
  )[0];
  if (source?.kind === 'resample') {
    const fitting = source.reference.filter(
      (ids) => ids.length === target.length && ids.some((id, t) => id !== target[t]),
    );
    const drawn = fitting[new Mt19937((source.seed + index) >>> 0).interval(Math.max(0, fitting.length - 1))];
    if (drawn === undefined) {
      throw new UserInputError(
        'DONOR_MISSING',
        `Pair ${pair.id}: no other reference prompt has ${target.length} tokens.`,
        'Give reference prompts of that length, or patch from zero or a mean.',
      );
    }
    return drawn;
  }
  if (source?.kind !== 'prompt') return null;
  if (pair.donor === undefined) {
    throw new UserInputError(
      'DONOR_MISSING',
      `Pair ${pair.id} names no prompt to patch from.`,
      'Give it a "source".',
    );
  }
  if (pair.donor.length !== target.length) {
    throw new UserInputError(
      'DONOR_LENGTH',
      `Pair ${pair.id}: the prompt patched from has ${pair.donor.length} tokens and the patched one ${target.length}.`,
      'Rewrite one of them to equal length.',
    );
  }
  return pair.donor;
}

/** First position at which two runs differ, in token or noise; the shorter's length where they do not. */
export function firstDifference(a: PromptRun, b: PromptRun): number {
  const length = Math.min(a.ids.length, b.ids.length);
  for (let t = 0; t < length; t++) if (differsAt(a, b, t)) return t;
  return length;
}

export function differsAt(a: PromptRun, b: PromptRun, t: number): boolean {
  return a.ids[t] !== b.ids[t] || (a.noise?.at.has(t) ?? false) !== (b.noise?.at.has(t) ?? false);
}
