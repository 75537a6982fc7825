import type { AttentionPattern } from '../../runtime/api.ts';

/** How much a head attends as the two heads of an induction circuit do (Olsson et al. 2022). */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  /** Mean attention from each token to the one before it. */
  readonly previousToken: number;
  /** Mean attention from a token that stood before to the two tokens that followed it there. */
  readonly prefixMatching: number;
}

/** Weight of the key `k` for the query `q` in a head of a pattern; `layer` is its place among those read. */
function weight(pattern: AttentionPattern, layer: number, head: number, q: number, k: number): number {
  const { heads, tokens, weights } = pattern;
  return weights[((layer * heads + head) * tokens + q) * tokens + k] ?? 0;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Query t → the tokens that followed earlier occurrences of its token; the query's own place excluded. */
export function followers(prompt: readonly number[]): { query: number; keys: number[] }[] {
  return prompt.flatMap((id, query) => {
    const keys = prompt.flatMap((other, at) => (other === id && at + 1 < query ? [at + 1] : []));
    return keys.length === 0 ? [] : [{ query, keys }];
  });
}

/**
 * Scores of every head from attention patterns alone, prompt by prompt: no patching and no gradient. The first token
 * of a prompt, which can only attend to itself, is no query.
 */
export function headScores(
  patterns: readonly AttentionPattern[],
  prompts: readonly (readonly number[])[],
): HeadScore[] {
  const [first] = patterns;
  if (first === undefined) return [];
  return first.layers.flatMap((layer, place) =>
    Array.from({ length: first.heads }, (_, head) => ({
      layer,
      head,
      previousToken: mean(
        patterns.flatMap((pattern) =>
          Array.from({ length: pattern.tokens - 1 }, (__, t) => weight(pattern, place, head, t + 1, t)),
        ),
      ),
      prefixMatching: mean(
        patterns.flatMap((pattern, i) =>
          followers(prompts[i] ?? []).map(({ query, keys }) =>
            [...new Set(keys.flatMap((key) => [key, key + 1]))]
              .filter((key) => key < query)
              .reduce((sum, key) => sum + weight(pattern, place, head, query, key), 0),
          ),
        ),
      ),
    })),
  );
}
