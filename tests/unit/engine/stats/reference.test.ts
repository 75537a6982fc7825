import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bcaInterval,
  benjaminiHochberg,
  friedman,
  holm,
  localisation,
  meanStatistic,
  pearson,
  permutationTest,
  ranks,
  ratioOfMeansStatistic,
  signFlipTest,
  spearman,
} from '../../../../src/main/engine/stats/index.ts';
import { chiSquareTail, normalCdf, normalQuantile } from '../../../../src/main/engine/stats/special.ts';

const numbers = z.array(z.number());
const Reference = z.object({
  bca: z.array(
    z.object({
      effects: numbers,
      gaps: numbers,
      resamples: z.number(),
      seed: z.number(),
      mean: numbers,
      ratio: numbers,
    }),
  ),
  sign_flip: z.array(z.object({ values: numbers, p: z.number() })),
  correction: z.object({ p: numbers, holm: numbers, benjamini_hochberg: numbers }),
  correlation: z.object({
    x: numbers,
    y: numbers,
    pearson: z.number(),
    spearman: z.number(),
    ranks: numbers,
  }),
  friedman: z.array(z.object({ blocks: z.array(numbers), statistic: z.number(), p: z.number() })),
  permutation: z.array(z.object({ a: numbers, b: numbers, observed: z.number(), p: z.number() })),
  localisation: z.array(
    z.object({
      values: numbers,
      k: z.number(),
      top_share: z.number(),
      gini: z.number(),
      participation: z.number(),
    }),
  ),
  special: z.object({ quantiles: z.array(numbers), chi_square: z.array(numbers) }),
});
const file = new URL('../../../reference/stats.json', import.meta.url);
const reference = Reference.parse(JSON.parse(readFileSync(file, 'utf8')));

/** Same formulas in double precision on both sides: only the order of rounding differs. */
const DIGITS = 9;
function close(actual: readonly number[], expected: readonly number[], digits = DIGITS) {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
}

describe('against SciPy, statsmodels and NumPy (tests/reference/stats_reference.py)', () => {
  it.each(reference.bca)('BCa interval of a mean over $effects.length clusters', (c) => {
    const interval = bcaInterval(meanStatistic(c.effects.map((e) => [e])), {
      resamples: c.resamples,
      seed: c.seed,
    });
    close([interval?.low ?? NaN, interval?.high ?? NaN], c.mean);
  });

  it.each(reference.bca)('BCa interval of a ratio of means over $effects.length clusters', (c) => {
    const clusters = c.effects.map((effect, i) => [{ raw: effect, clean: c.gaps[i] ?? NaN, corrupted: 0 }]);
    const statistic = ratioOfMeansStatistic('denoising', clusters, 1e-6);
    const interval = bcaInterval(statistic, { resamples: c.resamples, seed: c.seed });
    close([interval?.low ?? NaN, interval?.high ?? NaN], c.ratio);
  });

  it.each(reference.sign_flip)('exact sign-flip p over $values.length clusters', ({ values, p }) => {
    expect(signFlipTest(values, { seed: 1 }).p ?? refusedP(values)).toBeCloseTo(p, DIGITS);
  });

  it('Holm and Benjamini-Hochberg', () => {
    close(holm(reference.correction.p), reference.correction.holm);
    close(benjaminiHochberg(reference.correction.p), reference.correction.benjamini_hochberg);
  });

  it('ranks, Pearson and Spearman with ties', () => {
    const { x, y } = reference.correlation;
    close(ranks(x), reference.correlation.ranks);
    expect(pearson(x, y)).toBeCloseTo(reference.correlation.pearson, DIGITS);
    expect(spearman(x, y)).toBeCloseTo(reference.correlation.spearman, DIGITS);
  });

  it.each(reference.friedman)('Friedman statistic $statistic', (c) => {
    const result = friedman(c.blocks);
    expect(result?.statistic).toBeCloseTo(c.statistic, DIGITS);
    expect(result?.p).toBeCloseTo(c.p, DIGITS);
    const n = c.blocks.length;
    expect(result?.w).toBeCloseTo(c.statistic / (n * ((c.blocks[0]?.length ?? 0) - 1)), DIGITS);
  });

  it.each(reference.permutation)('exact permutation p $p of two groups', ({ a, b, observed, p }) => {
    const all = [...a, ...b];
    const mean = (of: readonly number[]) => of.reduce((s, v) => s + v, 0) / of.length;
    const result = permutationTest(
      all.map((_, i) => i < a.length),
      (labels) => mean(all.filter((_, i) => labels[i])) - mean(all.filter((_, i) => !labels[i])),
      { seed: 1 },
    );
    expect(result?.exact).toBe(true);
    expect(result?.observed).toBeCloseTo(observed, DIGITS);
    expect(result?.p).toBeCloseTo(p, DIGITS);
  });

  it.each(reference.localisation)('localisation of $values.length sites', (c) => {
    const index = localisation(c.values, undefined, c.k);
    close(
      [index?.topShare ?? NaN, index?.gini ?? NaN, index?.participation ?? NaN],
      [c.top_share, c.gini, c.participation],
    );
  });

  it('normal quantiles and chi-square tails', () => {
    for (const [q = NaN, x = NaN] of reference.special.quantiles) {
      expect(normalQuantile(q)).toBeCloseTo(x, DIGITS);
      expect(normalCdf(x) / q).toBeCloseTo(1, 7);
    }
    for (const [v = NaN, d = NaN, p = NaN] of reference.special.chi_square) {
      expect(chiSquareTail(v, d) / p).toBeCloseTo(1, DIGITS);
    }
  });
});

/** Few clusters are refused at the usual level; the same count with a level they can reach is the test itself. */
function refusedP(values: readonly number[]): number {
  const result = signFlipTest(values, { seed: 1, level: 0.5 });
  return result.p ?? NaN;
}
