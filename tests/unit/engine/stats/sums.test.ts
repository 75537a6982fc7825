import { describe, expect, test } from 'vitest';
import {
  ClusterBootstrap,
  combined,
  differenceStatistic,
  meanStatistic,
  ratioOfMeansStatistic,
  type ClusterStatistic,
} from '../../../../src/main/engine/stats/index.ts';

/** The same statistic, asked for every replicate by its weights alone. */
const byWeights = ({ clusters, value }: ClusterStatistic): ClusterStatistic => ({ clusters, value });

const values = (seed: number) =>
  Array.from({ length: 23 }, (_, i) =>
    Array.from({ length: 1 + ((i * seed) % 3) }, (_, k) => ({
      raw: i === 4 ? Number.NaN : Math.sin(seed * i + k),
      clean: 2 + Math.cos(i),
      corrupted: -1 - Math.sin(i + k),
    })),
  );

describe('intervals of statistics that are sums over clusters', () => {
  const a = ratioOfMeansStatistic('denoising', values(1), 1e-6);
  const b = ratioOfMeansStatistic('noising', values(2), 1e-6);
  test.each([
    ['a mean', meanStatistic(values(3).map((own) => own.map(({ clean }) => clean)))],
    ['a ratio of means', a],
    ['a difference', differenceStatistic(a, b)],
    ['the larger of several', combined([a, b], (each) => Math.max(...each.map((value) => value ?? 0)))],
  ])('are those of the weights: %s', (_, statistic) => {
    const bootstrap = new ClusterBootstrap(23, { resamples: 500, seed: 7 });
    const expected = bootstrap.interval(byWeights(statistic));
    const found = bootstrap.interval(statistic);
    expect(statistic.sums).toBeDefined();
    for (const end of ['estimate', 'low', 'high'] as const)
      expect(found?.[end]).toBeCloseTo(expected?.[end] ?? Number.NaN, 12);
    expect(bootstrap.percentile(statistic)?.low).toBeCloseTo(
      bootstrap.percentile(byWeights(statistic))?.low ?? Number.NaN,
      12,
    );
  });

  test('follow a part that is no sum', () => {
    const both = combined([a, byWeights(b)], ([x, y]) => (x ?? 0) + (y ?? 0));
    expect(both.sums).toBeUndefined();
    const ones = new Float64Array(23).fill(1);
    expect(both.value(ones)).toBe((a.value(ones) ?? 0) + (b.value(ones) ?? 0));
  });
});
