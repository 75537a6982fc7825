import { z } from 'zod';

/** Attention of one head over one prompt. */
export const AttentionView = z.object({
  layer: z.number().int(),
  head: z.number().int(),
  heads: z.number().int(),
  /** Its id. */
  pair: z.string(),
  /** Token texts, in order. */
  tokens: z.array(z.string()),
  /** Row-major [queries, keys]; every row sums to 1, keys after a query are 0. */
  weights: z.array(z.number()),
});
export type AttentionView = z.infer<typeof AttentionView>;

export const HeadRef = z.object({
  layer: z.number().int().nonnegative(),
  head: z.number().int().nonnegative(),
});
export type HeadRef = z.infer<typeof HeadRef>;

/** `9.6, 9.9`: heads as layer.head, from 0; null where a part names none. */
export function parseHeads(text: string): HeadRef[] | null {
  const heads = text.split(',').map((part) => /^\s*(\d+)\.(\d+)\s*$/.exec(part));
  return heads.some((found) => found === null)
    ? null
    : heads.map((found) => ({ layer: Number(found?.[1]), head: Number(found?.[2]) }));
}

/** A token (negative counts from the end), or a span's name. */
const Place = z.union([z.number().int(), z.string().min(1)]);

/** How much is looked from one place to another: summed over the keys of `to`, averaged over the queries of `from`. */
export const AttentionLook = z.object({ from: Place, to: Place });
export type AttentionLook = z.infer<typeof AttentionLook>;

const LensToken = z.object({ token: z.string(), probability: z.number() });

/** The logit lens at one position of one prompt: before each block, and behind the last. */
export const LensView = z.object({
  pair: z.string(),
  position: z.number().int(),
  /** Text of the token there. */
  token: z.string(),
  layers: z.array(
    z.object({
      /** Mean logit of the answer minus that of the wrong answer. */
      logitDiff: z.number(),
      /** Summed over the set. */
      answer: z.number(),
      wrong: z.number(),
      /** Likeliest next tokens, best first. */
      top: z.array(LensToken),
    }),
  ),
});
export type LensView = z.infer<typeof LensView>;

/** One site estimated and patched exactly. */
export const SiteVerification = z.object({
  estimated: z.number().nullable(),
  exact: z.number().nullable(),
  milliseconds: z.number(),
  /** Recoveries of every pair that has the site. */
  pairs: z.array(
    z.object({ id: z.string(), estimated: z.number().nullable(), exact: z.number().nullable() }),
  ),
});
export type SiteVerification = z.infer<typeof SiteVerification>;
