import type { ModelConfig } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';

/**
 * Checks ids against a model before they reach it.
 * @throws UserInputError PROMPT_EMPTY, PROMPT_TOO_LONG, TOKEN_UNKNOWN naming the prompt and the value.
 */
export function checkIds(ids: ArrayLike<number>, config: ModelConfig, what: string): void {
  if (ids.length === 0) {
    throw new UserInputError('PROMPT_EMPTY', `${what} has no tokens.`, 'Give it at least one token.');
  }
  if (ids.length > config.nCtx) {
    throw new UserInputError(
      'PROMPT_TOO_LONG',
      `${what} has ${ids.length} tokens; the model reads at most ${config.nCtx}.`,
      'Shorten it.',
    );
  }
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? -1;
    if (!Number.isInteger(id) || id < 0 || id >= config.vocabSize) {
      throw new UserInputError(
        'TOKEN_UNKNOWN',
        `${what} has the token id ${id} at position ${i}; the vocabulary has ${config.vocabSize} tokens.`,
        'Use the tokenizer that belongs to the model, or ids within its vocabulary.',
      );
    }
  }
}

/** Prompts of a batch, padded on the right to the longest. */
export interface PaddedBatch {
  readonly ids: Int32Array;
  readonly count: number;
  readonly length: number;
}

/** Padding repeats token 0: under the causal mask it changes nothing before it. */
export function padBatch(prompts: readonly (readonly number[])[]): PaddedBatch {
  const length = prompts.reduce((m, p) => Math.max(m, p.length), 0);
  const ids = new Int32Array(prompts.length * length);
  prompts.forEach((p, i) => ids.set(p, i * length));
  return { ids, count: prompts.length, length };
}

/**
 * Splits items into consecutive groups whose summed cost stays under a limit (each group has at least one);
 * returns index ranges [from, to).
 */
export function groupsOf(costs: readonly number[], limit: number): [from: number, to: number][] {
  const groups: [number, number][] = [];
  let from = 0;
  let cost = 0;
  costs.forEach((c, i) => {
    if (i > from && cost + c > limit) {
      groups.push([from, i]);
      from = i;
      cost = 0;
    }
    cost += c;
  });
  if (from < costs.length) groups.push([from, costs.length]);
  return groups;
}
