import { holm } from './correction.ts';
import { mean } from './descriptive.ts';
import { cohenDz } from './effectSize.ts';
import { signFlipTest } from './sign-flip.ts';

/** Two treatments compared over the same blocks. */
export interface PairwiseComparison {
  readonly a: number;
  readonly b: number;
  /** Mean over blocks of a − b. */
  readonly difference: number;
  /** Its d_z; null without spread. */
  readonly effectSize: number | null;
  /** Two-sided sign-flip p of the difference; null where it is refused. */
  readonly p: number | null;
  readonly pHolm: number | null;
}

export interface PostHoc {
  /** Every pair of treatments, a < b. */
  readonly pairs: readonly PairwiseComparison[];
  /** Why no pair has a p; null where they have. */
  readonly caveat: string | null;
}

/**
 * Which treatments differ, after Friedman's test: the two-sided sign-flip permutation test of every paired difference
 * over blocks, Holm-adjusted over all pairs. Refused, with the reason, where the blocks are too few for the correction.
 */
export function pairwiseComparisons(
  blocks: readonly (readonly number[])[],
  { seed }: { readonly seed: number },
): PostHoc {
  const k = blocks[0]?.length ?? 0;
  const tests = (k * (k - 1)) / 2;
  let caveat: string | null = null;
  const compared = Array.from({ length: k }, (_, a) => a).flatMap((a) =>
    Array.from({ length: k - a - 1 }, (_, i) => {
      const b = a + 1 + i;
      const differences = blocks.map((block) => (block[a] ?? Number.NaN) - (block[b] ?? Number.NaN));
      const test = signFlipTest(differences, { tests, seed });
      caveat ??= test.caveat;
      return {
        a,
        b,
        difference: mean(differences),
        effectSize: cohenDz(differences),
        p: test.p,
      };
    }),
  );
  const adjusted = holm(compared.flatMap(({ p }) => (p === null ? [] : [p])));
  let rank = 0;
  return {
    caveat,
    pairs: compared.map((row) => ({ ...row, pHolm: row.p === null ? null : (adjusted[rank++] ?? null) })),
  };
}
