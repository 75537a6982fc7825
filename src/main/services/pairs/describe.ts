import type { PairCheck, PairFlag, PairLine } from '../../../shared/domain/index.ts';
import {
  alternativeIds,
  encodePair,
  hasError,
  pairFlags,
  pairTokens,
  reduceAnswers,
  scoringMode,
  type EncodeContext,
} from '../../../shared/pairs/index.ts';
import type { PatchPair } from '../../runtime/api.ts';

export interface Described {
  readonly tokens: PairCheck['tokens'];
  readonly flags: PairFlag[];
  /** Null where an error flag says that the pair cannot be run. */
  readonly patch: PatchPair | null;
}

/** A pair under a tokenizer, with the traps that show without a run of the model. */
export function describe(line: PairLine, context: EncodeContext): Described {
  const ids = encodePair(line, context);
  const tokens = pairTokens(line, ids, context);
  const flags = pairFlags({ line, tokens, nCtx: context.nCtx, run: null });
  const mode = scoringMode(line);
  const patch = {
    id: line.id,
    clean: ids.clean,
    corrupted: ids.corrupted,
    answer: reduceAnswers(alternativeIds(tokens.answer), mode),
    wrong: reduceAnswers(alternativeIds(tokens.wrong), mode),
    read: tokens.read,
  };
  return { tokens, flags, patch: hasError(flags) ? null : patch };
}
