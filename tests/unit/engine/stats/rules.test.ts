import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bcaInterval,
  clustersNeeded,
  detect,
  differenceStatistic,
  friedman,
  groupByItem,
  localisation,
  meanStatistic,
  pairRecovery,
  permutationTest,
  populationSd,
  ratioOfMeans,
  ratioOfMeansStatistic,
  signFlipTest,
} from '../../../../src/main/engine/stats/index.ts';

const published = new URL('../../../../../shared/reference/zn-detection.json', import.meta.url);

describe('detect', () => {
  it.skipIf(!existsSync(published))(
    'gives exactly the published heads of GPT-2 small (skipped without the reference table)',
    () => {
      const table = z
        .object({
          table_layer_by_head: z.array(z.array(z.number())),
          detected_positive: z.array(z.string()),
          detected_negative: z.array(z.string()),
        })
        .parse(JSON.parse(readFileSync(published, 'utf8')));
      const width = table.table_layer_by_head[0]?.length ?? 0;
      const { sign, n } = detect(table.table_layer_by_head.flat());
      const named = (wanted: number) =>
        sign.flatMap((s, i) => (s === wanted ? [`${Math.floor(i / width)}.${i % width}`] : []));
      expect(n).toBe(144);
      expect(named(1)).toEqual(table.detected_positive);
      expect(named(-1)).toEqual(table.detected_negative);
    },
  );

  it('uses the population SD and counts exactly 2 SD as detected', () => {
    // Mean 0, population SD 1: a sample SD of 1.07 would detect nothing.
    const values = [2, -2, 0, 0, 0, 0, 0, 0];
    expect(populationSd(values)).toBe(1);
    expect(detect(values).sign).toEqual([1, -1, 0, 0, 0, 0, 0, 0]);
  });

  it('leaves masked sites and sites without a value out of mean, SD and detection', () => {
    const values = [9, null, 0.1, 0.1, 0.1, 0.1, 0.1, 0.9];
    const mask = [false, true, true, true, true, true, true, true];
    const { sign, n } = detect(values, mask);
    expect(n).toBe(6);
    expect(sign).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('detects nothing in a grid without spread', () => {
    expect(detect([0.3, 0.3, 0.3]).sign).toEqual([0, 0, 0]);
  });
});

describe('recovery', () => {
  const pair = { raw: 0.43, clean: 0.76, corrupted: -0.34 };
  it('recomputes CLAP Table 3: 0.70 restored, not the printed 0.56', () => {
    expect(pairRecovery('denoising', pair, 1e-6)).toBeCloseTo(0.7, 10);
  });
  it('is 0 for intact and −1 for broken under noising', () => {
    expect(pairRecovery('noising', { ...pair, raw: pair.clean }, 1e-6)).toBe(0);
    expect(pairRecovery('noising', { ...pair, raw: pair.corrupted }, 1e-6)).toBe(-1);
  });
  it('has no value where the gap is smaller than epsilon or the run gave none', () => {
    expect(pairRecovery('denoising', { raw: 1, clean: 1e-7, corrupted: 0 }, 1e-6)).toBeNull();
    expect(pairRecovery('denoising', { ...pair, raw: Number.NaN }, 1e-6)).toBeNull();
  });
  it('is the ratio of means over pairs, not the mean of ratios', () => {
    const pairs = [
      { raw: 2, clean: 4, corrupted: 0 },
      { raw: 1, clean: 1, corrupted: 0 },
    ];
    expect(ratioOfMeans('denoising', pairs, 1e-6)).toBeCloseTo(3 / 5, 12);
    expect(ratioOfMeans('denoising', [{ raw: 1, clean: 1, corrupted: 1 }], 1e-6)).toBeNull();
    expect(ratioOfMeans('denoising', [], 1e-6)).toBeNull();
    const statistic = ratioOfMeansStatistic('denoising', [pairs.slice(0, 1), pairs.slice(1)], 1e-6);
    expect(statistic.value([1, 1])).toBeCloseTo(3 / 5, 12);
    expect(statistic.value([0, 2])).toBe(1);
  });
});

describe('clusters', () => {
  it('keeps pairs of one item together and resamples them whole', () => {
    const groups = groupByItem(['a', 'b', 'a', 'c', 'b']);
    expect(groups).toEqual([[0, 2], [1, 4], [3]]);
    const values = [0.1, 0.9, 0.3, 0.5, 0.7];
    const byCluster = meanStatistic(groups.map((g) => g.map((i) => values[i] ?? NaN)));
    const interval = bcaInterval(byCluster, { resamples: 2000, seed: 42 });
    expect(interval?.clusters).toBe(3);
    expect(interval?.estimate).toBeCloseTo(0.5, 12);
    expect(interval?.low).toBeGreaterThanOrEqual(0.2);
    expect(interval?.high).toBeLessThanOrEqual(0.8 + 1e-12);
  });
  it('gives no interval below three clusters and a point where nothing varies', () => {
    expect(bcaInterval(meanStatistic([[1], [2]]), { seed: 1 })).toBeNull();
    const constant = bcaInterval(meanStatistic([[2], [2], [2]]), { resamples: 200, seed: 1 });
    expect([constant?.low, constant?.high]).toEqual([2, 2]);
  });
  it('repeats under one seed and differs under another', () => {
    const statistic = meanStatistic([[1], [2], [4], [8], [16]]);
    const run = (seed: number) => bcaInterval(statistic, { resamples: 300, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });
  it('pairs a difference: what both share leaves no spread, what differs is b − a', () => {
    const a = meanStatistic([[1], [20], [4], [80]]);
    const b = meanStatistic([[3], [22], [6], [82]]);
    const shifted = bcaInterval(differenceStatistic(a, b), { resamples: 300, seed: 1 });
    expect(shifted?.estimate).toBeCloseTo(2, 12);
    expect(shifted?.low).toBeCloseTo(2, 12);
    expect(shifted?.high).toBeCloseTo(2, 12);
    const alone = bcaInterval(b, { resamples: 300, seed: 1 });
    expect((alone?.high ?? 0) - (alone?.low ?? 0)).toBeGreaterThan(10);
  });
  it('refuses to pair different numbers of clusters, and has no value where one side has none', () => {
    const a = meanStatistic([[1], [2], [3]]);
    expect(() => differenceStatistic(a, meanStatistic([[1], [2]]))).toThrow(/3 and 2/);
    const empty = meanStatistic([[], [], []]);
    expect(differenceStatistic(a, empty).value([1, 1, 1])).toBeNull();
  });
});

describe('signFlipTest', () => {
  it('reaches its smallest p, 2^(1−n), when every cluster has the same sign', () => {
    const result = signFlipTest([0.2, 0.4, 0.1, 0.6, 0.3, 0.5, 0.7, 0.8], { seed: 1 });
    expect(result.p).toBe(2 ** -7);
    expect(result.smallest).toBe(2 ** -7);
  });
  it('is refused with the sentence where even that could not pass the correction', () => {
    const result = signFlipTest([0.2, 0.4, 0.1, 0.6, 0.3, 0.5, 0.7, 0.8], { seed: 1, tests: 60 });
    expect(result.p).toBeNull();
    expect(result.caveat).toContain('over 8 clusters cannot go below p = 0.0078');
    expect(result.caveat).toContain('12 clusters would allow it');
    expect(2 ** (1 - clustersNeeded(60))).toBeLessThanOrEqual(0.05 / 60);
    expect(2 ** (2 - clustersNeeded(60))).toBeGreaterThan(0.05 / 60);
  });
  it('gives no p for one cluster', () => {
    expect(signFlipTest([0.5], { seed: 1 })).toMatchObject({ p: null, n: 1, smallest: 1 });
  });
  it('draws patterns above the exact limit, close to the exact p', () => {
    const values = Array.from({ length: 14 }, (_, i) => Math.sin(i * 3) + 0.35);
    const exact = signFlipTest(values, { seed: 1 });
    const drawn = signFlipTest(values, { seed: 1, exactUpTo: 5, draws: 40_000 });
    expect(drawn.exact).toBe(false);
    // Four standard errors of a share near the exact p.
    const error = 4 * Math.sqrt(((exact.p ?? 0) * (1 - (exact.p ?? 0))) / 40_000);
    expect(Math.abs((drawn.p ?? 1) - (exact.p ?? 0))).toBeLessThan(error);
  });
});

describe('localisation', () => {
  it('is 1/n in participation and towards 1 in Gini for one site, 1 and 0 for an even spread', () => {
    expect(localisation([0, 0, 3, 0], undefined, 1)).toMatchObject({
      topShare: 1,
      gini: 0.75,
      participation: 0.25,
    });
    const even = localisation([2, 2, 2, 2], undefined, 1);
    expect(even?.gini).toBeCloseTo(0, 12);
    expect(even).toMatchObject({ topShare: 0.25, participation: 1 });
  });
  it('uses the positive part and leaves masked sites out', () => {
    expect(localisation([1, -5, 9, 1], [true, true, false, true], 1)).toMatchObject({ n: 3, topShare: 0.5 });
    expect(localisation([-1, -2], undefined, 1)).toBeNull();
  });
});

describe('friedman and permutationTest', () => {
  it('are undefined where nothing can be compared', () => {
    expect(friedman([[1, 2, 3]])).toBeNull();
    expect(
      friedman([
        [1, 1, 1],
        [2, 2, 2],
      ]),
    ).toBeNull();
    expect(permutationTest([true, true], () => 1, { seed: 1 })).toBeNull();
  });
  it('has W = 1 where all blocks agree', () => {
    expect(
      friedman([
        [1, 2, 3],
        [4, 5, 9],
        [0, 1, 2],
      ])?.w,
    ).toBeCloseTo(1, 12);
  });
  it('draws seeded relabelings where all are too many', () => {
    const values = Array.from({ length: 30 }, (_, i) => (i < 15 ? 1 : 0) + Math.sin(i * 7));
    const difference = (labels: readonly boolean[]) =>
      values.reduce((total, v, i) => total + (labels[i] ? v : -v), 0);
    const run = () =>
      permutationTest(
        values.map((_, i) => i < 15),
        difference,
        { permutations: 500, seed: 9 },
      );
    expect(run()).toEqual(run());
    expect(run()?.exact).toBe(false);
    expect(run()?.p).toBeLessThan(0.05);
  });
});
