import type { PairLine } from '../domain/index.ts';
import { EngramError, UserInputError } from '../errors/index.ts';
import { encodePrompt, reduceAnswers, scoringMode, type EncodeContext } from './encode.ts';
import { resolveRead, resolveReadCorrupted, spanProblems } from './read.ts';
import { encodePair } from './tokens.ts';

/** Tokens [start, end) of a span in both prompts. */
interface PreparedSpan {
  readonly clean: readonly [number, number];
  readonly corrupted: readonly [number, number];
}

/** A pair as token ids, ready to be run: answers reduced to ids. */
export interface PreparedPair {
  readonly id: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
  /** Position (from 0) at which the metric is read. */
  readonly read: number;
  /** As `read`, where the prompts differ in length. */
  readonly readCorrupted?: number;
  /** Tokens of the clean prompt that Gaussian noise corrupts, where the pair names them. */
  readonly key?: readonly number[];
  readonly spans?: Readonly<Record<string, PreparedSpan>>;
  /** Answer mode `sequence`: the alternatives in full. */
  readonly sequences?: {
    readonly answer: readonly (readonly number[])[];
    readonly wrong: readonly (readonly number[])[];
  };
  readonly donor?: readonly number[];
}

export interface PrepareOptions {
  /** Whether prompts of unequal length are let through: patched span by span, or not patched from each other. */
  readonly unequal?: boolean;
}

/**
 * One pair as the engine wants it. Throws a UserInputError that names the pair where it cannot be patched:
 * unequal lengths (with both), longer than the context, an unknown span, a sequence read before the end.
 */
export function preparePair(
  line: PairLine,
  context: EncodeContext,
  options: PrepareOptions = {},
): PreparedPair {
  const ids = encodePair(line, context);
  const refuse = (code: string, fact: string, next: string): never => {
    throw new UserInputError(code, `Pair “${line.id}” ${fact}.`, next);
  };
  const { length } = ids.clean;
  const unequal = length !== ids.corrupted.length;
  if (unequal && options.unequal !== true) {
    refuse(
      'PAIRS_UNEQUAL_LENGTH',
      `has ${length} clean and ${ids.corrupted.length} corrupted tokens`,
      'Rewrite its prompts to equal length, or patch spans of equal length; other sites inside the model cannot be patched.',
    );
  }
  const longest = Math.max(length, ids.corrupted.length);
  if (longest > context.nCtx) {
    refuse(
      'PAIRS_TOO_LONG',
      `has ${longest} tokens; the model reads ${context.nCtx}`,
      'Shorten its prompts.',
    );
  }
  const problem = spanProblems(line, length, ids.corrupted.length)[0];
  const read = resolveRead(line, length, unequal);
  const readCorrupted = resolveReadCorrupted(line, ids.corrupted.length);
  if (problem !== undefined || !read.ok || !readCorrupted.ok) {
    return refuse(
      'PAIRS_UNKNOWN_SPAN',
      `is not readable: ${problem ?? 'its read position lies outside the corrupted prompt'}`,
      'Correct its "read", "key" or "spans".',
    );
  }
  const sequence = line.answer_mode === 'sequence';
  if (sequence && (read.position !== length - 1 || readCorrupted.position !== ids.corrupted.length - 1)) {
    refuse(
      'PAIRS_SEQUENCE_READ',
      `scores whole answers but reads at token ${read.position} of ${length}`,
      'Leave "read" at "last": the answer follows the prompt.',
    );
  }
  const mode = scoringMode(line);
  const key = keyOf(line);
  const spans = spansOf(line);
  return {
    id: line.id,
    clean: ids.clean,
    corrupted: ids.corrupted,
    answer: reduceAnswers(ids.answer, mode),
    wrong: reduceAnswers(ids.wrong, mode),
    read: read.position,
    ...(unequal ? { readCorrupted: readCorrupted.position } : {}),
    ...(key === null ? {} : { key }),
    ...(Object.keys(spans).length === 0 ? {} : { spans }),
    ...(sequence ? { sequences: { answer: ids.answer, wrong: ids.wrong } } : {}),
    ...(line.source === undefined ? {} : { donor: encodePrompt(line.id, line.source, context) }),
  };
}

/** Tokens that noise corrupts: named by a span of the clean prompt, or by index. */
function keyOf(line: PairLine): number[] | null {
  if (line.key === undefined) return null;
  if (typeof line.key !== 'string') return [...line.key];
  const [start, end] = line.spans?.clean[line.key] ?? [0, 0];
  return Array.from({ length: end - start }, (_, i) => start + i);
}

/** Spans of either prompt; one that only one prompt draws stands at the same tokens of the other. */
function spansOf(line: PairLine): Record<string, PreparedSpan> {
  const { clean = {}, corrupted = {} } = line.spans ?? {};
  return Object.fromEntries(
    [...new Set([...Object.keys(clean), ...Object.keys(corrupted)])].flatMap((name) => {
      const [a, b] = [clean[name] ?? corrupted[name], corrupted[name] ?? clean[name]];
      return a === undefined || b === undefined ? [] : [[name, { clean: a, corrupted: b }]];
    }),
  );
}

export interface PreparedPairs {
  readonly pairs: readonly PreparedPair[];
  /** The lines the pairs came from, in the same order. */
  readonly lines: readonly PairLine[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** All pairs of a set that can be patched, and why the others cannot. */
export function preparePairs(
  lines: readonly PairLine[],
  context: EncodeContext,
  options: PrepareOptions = {},
): PreparedPairs {
  const pairs: PreparedPair[] = [];
  const kept: PairLine[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const line of lines) {
    try {
      pairs.push(preparePair(line, context, options));
      kept.push(line);
    } catch (error) {
      if (!(error instanceof EngramError) || error.kind !== 'user') throw error;
      skipped.push({ id: line.id, reason: error.message });
    }
  }
  return { pairs, lines: kept, skipped };
}
