import { ints, type Feed } from '../compiler.ts';

/** Prompts of one run, padded on the right; under the causal mask what follows a token does not change it. */
export interface Batch {
  /** Index of the first prompt. */
  readonly from: number;
  readonly prompts: readonly (readonly number[])[];
  /** Length of every row. */
  readonly tokens: number;
}

/** Consecutive prompts whose padded tokens stay under a limit (or one prompt alone). */
export function batches(prompts: readonly (readonly number[])[], limit: number): Batch[] {
  const result: Batch[] = [];
  let from = 0;
  while (from < prompts.length) {
    let to = from + 1;
    let tokens = prompts[from]?.length ?? 0;
    for (; to < prompts.length; to++) {
      const longer = Math.max(tokens, prompts[to]?.length ?? 0);
      if (longer * (to + 1 - from) > limit) break;
      tokens = longer;
    }
    result.push({ from, prompts: prompts.slice(from, to), tokens });
    from = to;
  }
  return result;
}

/** ids [B, T]. */
export function idsFeed({ prompts, tokens }: Batch): Feed {
  const ids = prompts.flatMap((prompt) => Array.from({ length: tokens }, (_, t) => prompt[t] ?? 0));
  return ints(ids, [prompts.length, tokens]);
}
