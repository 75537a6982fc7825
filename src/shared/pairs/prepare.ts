import type { PairLine } from '../domain/index.ts';
import { EngramError, UserInputError } from '../errors/index.ts';
import { reduceAnswers, type EncodeContext } from './encode.ts';
import { resolveRead, spanProblems } from './read.ts';
import { encodePair } from './tokens.ts';

/** A pair as token ids, ready to be run: prompts of equal length, answers reduced to ids. */
export interface PreparedPair {
  readonly id: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
  /** Position (from 0) at which the metric is read. */
  readonly read: number;
}

/**
 * One pair as the engine wants it. Throws a UserInputError that names the pair where it cannot be patched:
 * unequal lengths (with both), longer than the context, an unknown span, a `sequence` answer.
 */
export function preparePair(line: PairLine, context: EncodeContext): PreparedPair {
  const ids = encodePair(line, context);
  const refuse = (code: string, fact: string, next: string): never => {
    throw new UserInputError(code, `Pair “${line.id}” ${fact}.`, next);
  };
  const length = ids.clean.length;
  if (length !== ids.corrupted.length) {
    refuse(
      'PAIRS_UNEQUAL_LENGTH',
      `has ${length} clean and ${ids.corrupted.length} corrupted tokens`,
      'Rewrite its prompts to equal length; sites inside the model cannot be patched otherwise.',
    );
  }
  if (length > context.nCtx) {
    refuse('PAIRS_TOO_LONG', `has ${length} tokens; the model reads ${context.nCtx}`, 'Shorten its prompts.');
  }
  if (line.answer_mode === 'sequence') {
    refuse(
      'PAIRS_SEQUENCE_ANSWER',
      'asks for the likelihood of a whole sequence, which a sweep cannot measure',
      'Set "answer_mode" to "first" or "bag".',
    );
  }
  const problem = spanProblems(line, length, ids.corrupted.length)[0];
  const read = resolveRead(line, length);
  if (problem !== undefined || !read.ok) {
    refuse(
      'PAIRS_UNKNOWN_SPAN',
      `is not readable: ${problem ?? ''}`,
      'Correct its "read", "key" or "spans".',
    );
  }
  const mode = line.answer_mode === 'bag' ? 'bag' : 'first';
  return {
    id: line.id,
    clean: ids.clean,
    corrupted: ids.corrupted,
    answer: reduceAnswers(ids.answer, mode),
    wrong: reduceAnswers(ids.wrong, mode),
    read: read.ok ? read.position : length - 1,
  };
}

export interface PreparedPairs {
  readonly pairs: readonly PreparedPair[];
  /** The lines the pairs came from, in the same order. */
  readonly lines: readonly PairLine[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** All pairs of a set that can be patched, and why the others cannot. */
export function preparePairs(lines: readonly PairLine[], context: EncodeContext): PreparedPairs {
  const pairs: PreparedPair[] = [];
  const kept: PairLine[] = [];
  const skipped: { id: string; reason: string }[] = [];
  for (const line of lines) {
    try {
      pairs.push(preparePair(line, context));
      kept.push(line);
    } catch (error) {
      if (!(error instanceof EngramError) || error.kind !== 'user') throw error;
      skipped.push({ id: line.id, reason: error.message });
    }
  }
  return { pairs, lines: kept, skipped };
}
