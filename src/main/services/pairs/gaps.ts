import { logitDifference, topTokens } from '../../../shared/pairs/index.ts';
import type { ComputeApi, PatchPair } from '../../runtime/api.ts';

/** What a model says of one pair; logit differences of both prompts. */
export interface Gap {
  readonly cleanLogitDiff: number;
  readonly corruptedLogitDiff: number;
  /** Whether the likeliest next token of clean is a right one. */
  readonly top1: boolean;
}

/** Pairs per call of the model. */
const AT_ONCE = 16;
/** Answers kept; a pair is about 100 bytes beside its key. */
const KEPT = 20_000;

/** Reads pairs with a model, each pair once: a set with one edited pair costs one pair. */
export interface GapReader {
  read(folder: string, pairs: readonly PatchPair[]): Promise<(Gap | undefined)[]>;
}

export function createGapReader(compute: ComputeApi): GapReader {
  const known = new Map<string, Gap>();
  const keyOf = (folder: string, { clean, corrupted, answer, wrong, read }: PatchPair): string =>
    JSON.stringify([folder, clean, corrupted, answer, wrong, read]);

  const run = async (folder: string, pairs: readonly PatchPair[]): Promise<void> => {
    const { logits } = await compute.logits({
      folder,
      prompts: pairs.flatMap((pair) => [pair.clean, pair.corrupted]),
      positions: pairs.flatMap((pair) => [[pair.read], [pair.read]]),
    });
    pairs.forEach((pair, i) => {
      const [clean, corrupted] = [logits[2 * i], logits[2 * i + 1]];
      if (clean === undefined || corrupted === undefined) return;
      known.set(keyOf(folder, pair), {
        cleanLogitDiff: logitDifference(clean, pair.answer, pair.wrong),
        corruptedLogitDiff: logitDifference(corrupted, pair.answer, pair.wrong),
        top1: topTokens(clean, 1).some(({ id }) => pair.answer.includes(id)),
      });
    });
  };

  return {
    read: async (folder, pairs) => {
      const missing = pairs.filter((pair) => !known.has(keyOf(folder, pair)));
      for (let at = 0; at < missing.length; at += AT_ONCE) await run(folder, missing.slice(at, at + AT_ONCE));
      const found = pairs.map((pair) => known.get(keyOf(folder, pair)));
      for (const oldest of known.keys()) {
        if (known.size <= KEPT) break;
        known.delete(oldest);
      }
      return found;
    },
  };
}
