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

/** Softmax in double precision, largest logit subtracted. Shape [V] to [V]. */
export function softmax(logits: Float32Array): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  for (const value of logits) max = Math.max(max, value);
  const out = Float64Array.from(logits, (value) => Math.exp(value - max));
  const total = out.reduce((sum, value) => sum + value, 0);
  return out.map((value) => value / total);
}

export interface RankedToken {
  readonly id: number;
  readonly logit: number;
  readonly probability: number;
}

/** The `k` most probable next tokens, best first; equal logits by id. */
export function topTokens(logits: Float32Array, k: number): RankedToken[] {
  const probabilities = softmax(logits);
  return Array.from(logits.keys())
    .sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b)
    .slice(0, k)
    .map((id) => ({ id, logit: logits[id] ?? Number.NaN, probability: probabilities[id] ?? Number.NaN }));
}

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
  const probability = (logits: Float32Array): number => {
    const all = softmax(logits);
    return right.reduce((sum, id) => sum + (all[id] ?? 0), 0);
  };
  const top = (logits: Float32Array) =>
    topTokens(logits, 10).flatMap((ranked) =>
      toTokens([ranked.id], context).map((token) => ({
        token,
        logit: ranked.logit,
        probability: ranked.probability,
        role: roles.get(ranked.id) ?? ('other' as const),
      })),
    );
  return {
    cleanLogitDiff: logitDifference(clean, right, wrong),
    corruptedLogitDiff: logitDifference(corrupted, right, wrong),
    cleanProbability: probability(clean),
    corruptedProbability: probability(corrupted),
    cleanTop: top(clean),
    corruptedTop: top(corrupted),
  };
}

/** Ids of the alternatives as chips hold them. */
export function alternativeIds(alternatives: PairTokens['answer']): number[][] {
  return alternatives.map((tokens) => tokens.map((token) => token.id));
}
