import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bcaInterval,
  cliffsDelta,
  cohenDz,
  correlationStatistic,
  detect,
  differenceStatistic,
  benjaminiHochberg,
  friedman,
  groupDifference,
  hedgesG,
  holm,
  kendall,
  localisation,
  meanStatistic,
  pairRecovery,
  pairwiseComparisons,
  pearson,
  percentileInterval,
  permutationTest,
  populationSd,
  rankAgreement,
  ranks,
  ratioOfMeans,
  ratioOfMeansStatistic,
  relabelings,
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
  percentile: z.array(
    z.object({
      a: numbers,
      b: numbers,
      resamples: z.number(),
      seed: z.number(),
      mean: numbers,
      difference: numbers,
    }),
  ),
  rank_correlation: z.array(
    z.object({
      x: numbers,
      y: numbers,
      spearman: z.number(),
      kendall: z.number(),
      resamples: z.number(),
      seed: z.number(),
      interval: numbers,
    }),
  ),
  group_difference: z.array(
    z.object({
      a: numbers,
      b: numbers,
      resamples: z.number(),
      seed: z.number(),
      value: z.number(),
      interval: numbers,
      scipy_interval: numbers,
      relabelings: z.number(),
    }),
  ),
  drawn: z.object({
    sign_flip: z.object({ values: numbers, draws: z.number(), seed: z.number(), p: z.number() }),
    permutation: z.object({
      values: numbers,
      group: z.number(),
      permutations: z.number(),
      seed: z.number(),
      p: z.number(),
    }),
  }),
  friedman_permuted: z.array(
    z.object({
      blocks: z.array(numbers),
      statistic: z.number(),
      permutations: z.number(),
      seed: z.number(),
      p: z.number(),
    }),
  ),
  posthoc: z.object({
    blocks: z.array(numbers),
    pairs: z.array(
      z.object({
        a: z.number(),
        b: z.number(),
        difference: z.number(),
        effect_size: z.number(),
        p: z.number(),
        p_holm: z.number(),
      }),
    ),
  }),
  effect_size: z.array(
    z.object({ a: numbers, b: numbers, dz: z.number(), hedges: z.number(), cliff: z.number() }),
  ),
  detection: z.object({ values: numbers, sd: z.number(), sign: numbers }),
  recovery: z.object({
    clean: numbers,
    corrupted: numbers,
    raw: numbers,
    pairs: z.object({ denoising: numbers, noising: numbers }),
    ratio: z.object({ denoising: z.number(), noising: z.number() }),
  }),
  agreement: z.object({
    exact: numbers,
    estimated: numbers,
    spearman: z.number(),
    kendall: z.number(),
    same_sign: z.number(),
    shared: z.number(),
    largest_error: z.number(),
  }),
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

  it.each(reference.percentile)('percentile and paired intervals over $a.length clusters', (c) => {
    const options = { resamples: c.resamples, seed: c.seed };
    const [a, b] = [c.a, c.b].map((values) => meanStatistic(values.map((v) => [v])));
    if (a === undefined || b === undefined) throw new Error('two sides');
    const mean = percentileInterval(b, options);
    close([mean?.low ?? NaN, mean?.high ?? NaN], c.mean);
    const paired = bcaInterval(differenceStatistic(a, b), options);
    close([paired?.low ?? NaN, paired?.high ?? NaN], c.difference);
  });

  it.each(reference.rank_correlation)('rank correlations of $x.length points with an interval', (c) => {
    expect(spearman(c.x, c.y)).toBeCloseTo(c.spearman, DIGITS);
    expect(kendall(c.x, c.y)).toBeCloseTo(c.kendall, DIGITS);
    const statistic = correlationStatistic(c.x, c.y, spearman);
    const interval = percentileInterval(statistic, { resamples: c.resamples, seed: c.seed });
    close([interval?.low ?? NaN, interval?.high ?? NaN], c.interval);
  });

  it.each(reference.group_difference)('difference of groups of $a.length and $b.length', (c) => {
    const all = [...c.a, ...c.b];
    const mean = (weights: ArrayLike<number>): number | null => {
      const n = all.reduce((sum, _, i) => sum + (weights[i] ?? 0), 0);
      return n === 0 ? null : all.reduce((sum, v, i) => sum + v * (weights[i] ?? 0), 0) / n;
    };
    const result = groupDifference(
      all.map((_, i) => i < c.a.length),
      mean,
      { resamples: c.resamples, seed: c.seed },
    );
    expect(result?.value).toBeCloseTo(c.value, DIGITS);
    close([result?.low ?? NaN, result?.high ?? NaN], c.interval);
    // SciPy's own draws: near, within a twentieth of the interval's width for thousands of replicates.
    const width = (c.scipy_interval[1] ?? NaN) - (c.scipy_interval[0] ?? NaN);
    const far = c.resamples < 1000 ? 0.15 : 0.05;
    expect(Math.abs((result?.low ?? NaN) - (c.scipy_interval[0] ?? NaN))).toBeLessThan(far * width);
    expect(Math.abs((result?.high ?? NaN) - (c.scipy_interval[1] ?? NaN))).toBeLessThan(far * width);
    expect(relabelings(all.length, c.a.length)).toBe(c.relabelings);
  });

  it('drawn sign patterns and labellings from NumPy’s stream', () => {
    const { sign_flip: flips, permutation } = reference.drawn;
    expect(signFlipTest(flips.values, { seed: flips.seed, draws: flips.draws }).p).toBeCloseTo(
      flips.p,
      DIGITS,
    );
    const { values, group } = permutation;
    const side = (labels: readonly boolean[], wanted: boolean): number => {
      const own = values.filter((_, i) => labels[i] === wanted);
      return own.reduce((s, v) => s + v, 0) / own.length;
    };
    const result = permutationTest(
      values.map((_, i) => i < group),
      (labels) => side(labels, true) - side(labels, false),
      { permutations: permutation.permutations, seed: permutation.seed },
    );
    expect(result?.exact).toBe(false);
    expect(result?.p).toBeCloseTo(permutation.p, DIGITS);
  });

  it.each(reference.friedman_permuted)('Friedman over few blocks, by orders drawn: p $p', (c) => {
    const result = friedman(c.blocks, { seed: c.seed, permutations: c.permutations });
    expect(result?.method).toBe('permutation');
    expect(result?.statistic).toBeCloseTo(c.statistic, DIGITS);
    expect(result?.p).toBeCloseTo(c.p, DIGITS);
  });

  it('pairwise comparisons behind Friedman, adjusted by Holm', () => {
    const { pairs, caveat } = pairwiseComparisons(reference.posthoc.blocks, { seed: 1 });
    expect(caveat).toBeNull();
    expect(pairs.map(({ a, b }) => [a, b])).toEqual(reference.posthoc.pairs.map(({ a, b }) => [a, b]));
    for (const [i, wanted] of reference.posthoc.pairs.entries()) {
      expect(pairs[i]?.difference).toBeCloseTo(wanted.difference, DIGITS);
      expect(pairs[i]?.effectSize).toBeCloseTo(wanted.effect_size, DIGITS);
      expect(pairs[i]?.p).toBeCloseTo(wanted.p, DIGITS);
      expect(pairs[i]?.pHolm).toBeCloseTo(wanted.p_holm, DIGITS);
    }
  });

  it.each(reference.effect_size)('effect sizes of $a.length and $b.length values', (c) => {
    expect(cohenDz(c.a)).toBeCloseTo(c.dz, DIGITS);
    expect(hedgesG(c.a)).toBeCloseTo(c.hedges, DIGITS);
    expect(cliffsDelta(c.a, c.b)).toBeCloseTo(c.cliff, DIGITS);
  });

  it('detection, population SD and recoveries', () => {
    expect(populationSd(reference.detection.values)).toBeCloseTo(reference.detection.sd, DIGITS);
    expect(detect(reference.detection.values).sign.map(Number)).toEqual(reference.detection.sign);
    const { clean, corrupted, raw, pairs, ratio } = reference.recovery;
    const measured = raw.map((value, i) => ({
      raw: value,
      clean: clean[i] ?? NaN,
      corrupted: corrupted[i] ?? NaN,
    }));
    for (const direction of ['denoising', 'noising'] as const) {
      close(
        measured.map((value) => pairRecovery(direction, value, 1e-6) ?? NaN),
        pairs[direction],
      );
      expect(ratioOfMeans(direction, measured, 1e-6)).toBeCloseTo(ratio[direction], DIGITS);
    }
  });

  it('agreement of estimates with exact effects', () => {
    const c = reference.agreement;
    const agreement = rankAgreement(c.estimated, c.exact);
    expect(agreement.spearman).toBeCloseTo(c.spearman, DIGITS);
    expect(agreement.kendall).toBeCloseTo(c.kendall, DIGITS);
    expect(agreement.largestError).toBeCloseTo(c.largest_error, DIGITS);
    expect(agreement).toMatchObject({ sameSign: c.same_sign, overlap: { k: 9, shared: c.shared } });
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
