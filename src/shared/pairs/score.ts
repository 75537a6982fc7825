import type { PairCheck, PairTokens } from '../domain/index.ts';
import { toTokens, type EncodeContext } from './encode.ts';

/** Mean logit over the right ids minus mean over the wrong ones (METHODS section 2). */
export function logitDifference(
  logits: Float32Array,
  right: readonly number[],
  wrong: readonly number[],
): number {
  return meanAt(logits, right) - meanAt(logits, wrong);
}

function meanAt(logits: Float32Array, ids: readonly number[]): number {
  return ids.reduce((sum, id) => sum + (logits[id] ?? Number.NaN), 0) / ids.length;
}

/** Natural logarithm of the sum of all exponentials, in double precision: log P(v) = logit(v) − this. */
export function logSumExp(logits: Float32Array): number {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of logits) if (value > max) max = value;
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - max);
  return max + Math.log(sum);
}

export interface RankedToken {
  readonly id: number;
  readonly logit: number;
  readonly probability: number;
}

/** The `k` most probable next tokens, best first; equal logits by id. One pass over the vocabulary. */
export function topTokens(logits: Float32Array, k: number, total: number = logSumExp(logits)): RankedToken[] {
  const best: { id: number; logit: number }[] = [];
  logits.forEach((logit, id) => {
    if (Number.isNaN(logit)) return;
    if (best.length >= k && !(logit > (best.at(-1)?.logit ?? Number.NaN))) return;
    // Later ids go behind equal ones.
    const at = best.findIndex((other) => logit > other.logit);
    best.splice(at < 0 ? best.length : at, 0, { id, logit });
    if (best.length > k) best.pop();
  });
  return best.map(({ id, logit }) => ({ id, logit, probability: Math.exp(logit - total) }));
}

/** Tokens listed for each prompt. */
const TOP = 10;

/** What both prompts make the model say at the read position. */
export function scorePair(
  clean: Float32Array,
  corrupted: Float32Array,
  right: readonly number[],
  wrong: readonly number[],
  context: EncodeContext,
): Omit<NonNullable<PairCheck['run']>, 'milliseconds'> {
  const roles = new Map<number, 'right' | 'wrong'>([
    ...wrong.map((id) => [id, 'wrong'] as const),
    ...right.map((id) => [id, 'right'] as const),
  ]);
  const side = (logits: Float32Array) => {
    const total = logSumExp(logits);
    return {
      probability: right.reduce((sum, id) => sum + Math.exp((logits[id] ?? Number.NaN) - total), 0),
      top: topTokens(logits, TOP, total).flatMap((ranked) =>
        toTokens([ranked.id], context).map((token) => ({
          token,
          logit: ranked.logit,
          probability: ranked.probability,
          role: roles.get(ranked.id) ?? ('other' as const),
        })),
      ),
    };
  };
  const [ofClean, ofCorrupted] = [side(clean), side(corrupted)];
  return {
    cleanLogitDiff: logitDifference(clean, right, wrong),
    corruptedLogitDiff: logitDifference(corrupted, right, wrong),
    cleanProbability: ofClean.probability,
    corruptedProbability: ofCorrupted.probability,
    cleanTop: ofClean.top,
    corruptedTop: ofCorrupted.top,
  };
}

/** Ids of the alternatives as chips hold them. */
export function alternativeIds(alternatives: PairTokens['answer']): number[][] {
  return alternatives.map((tokens) => tokens.map((token) => token.id));
}
