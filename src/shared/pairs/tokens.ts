import type { PairLine, PairTokens } from '../domain/index.ts';
import { encodeAnswers, encodePrompt, toTokens, type EncodeContext } from './encode.ts';
import { resolveRead } from './read.ts';

/** Token ids of a pair, before anything is decided about them. */
export interface PairIds {
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Per alternative. */
  readonly answer: readonly (readonly number[])[];
  readonly wrong: readonly (readonly number[])[];
}

export function encodePair(line: PairLine, context: EncodeContext): PairIds {
  return {
    clean: encodePrompt(line.id, line.clean, context),
    corrupted: encodePrompt(line.id, line.corrupted, context),
    answer: encodeAnswers(line.id, line.answer, context),
    wrong: encodeAnswers(line.id, line.wrong, context),
  };
}

/** Indices at which two prompts of equal length hold different ids; empty for unequal lengths. */
export function differingPositions(clean: readonly number[], corrupted: readonly number[]): number[] {
  if (clean.length !== corrupted.length) return [];
  return clean.flatMap((id, index) => (id === corrupted[index] ? [] : [index]));
}

/** The pair as chips. Where the read position cannot be resolved (a flag says so) it is the last token. */
export function pairTokens(line: PairLine, ids: PairIds, context: EncodeContext): PairTokens {
  const read = resolveRead(line, ids.clean.length);
  return {
    clean: toTokens(ids.clean, context),
    corrupted: toTokens(ids.corrupted, context),
    answer: ids.answer.map((alternative) => toTokens(alternative, context)),
    wrong: ids.wrong.map((alternative) => toTokens(alternative, context)),
    differing: differingPositions(ids.clean, ids.corrupted),
    read: read.ok ? read.position : Math.max(0, ids.clean.length - 1),
  };
}
