import { describe, expect, it } from 'vitest';
import {
  bcaInterval,
  cliffsDelta,
  cohenDz,
  correlationRefusal,
  friedman,
  friedmanRefusal,
  groupDifference,
  groupRefusal,
  hedgesG,
  intervalRefusal,
  meanStatistic,
  pairwiseComparisons,
  percentileInterval,
  signFlipTest,
} from '../../../../src/main/engine/stats/index.ts';

describe('too few to say anything', () => {
  it('intervals: refused below three clusters, with the number that would do', () => {
    const two = meanStatistic([[1], [2]]);
    expect(bcaInterval(two, { seed: 1 })).toBeNull();
    expect(percentileInterval(two, { seed: 1 })).toBeNull();
    expect(intervalRefusal(2)).toBe('2 independent pairs give no interval: a bootstrap needs at least 3.');
    expect(intervalRefusal(3)).toBeNull();
  });

  it('Friedman: refused below three blocks or layers, and tied blocks have no statistic', () => {
    expect(friedmanRefusal(2, 5)).toContain('2 of them');
    expect(friedmanRefusal(5, 2)).toContain('at least 3 layers; 2 have');
    expect(friedmanRefusal(3, 3)).toBeNull();
    expect(friedman([[1, 1, 1]], { seed: 1 })).toBeNull();
  });

  it('layers in pairs: no p where the correction cannot be passed, effects all the same', () => {
    const blocks = [
      [0, 1, 5],
      [0, 2, 6],
      [1, 1, 7],
      [0, 3, 9],
    ];
    const { pairs, caveat } = pairwiseComparisons(blocks, { seed: 1 });
    expect(caveat).toContain('A sign-flip test over 4 clusters cannot go below p = 0.13');
    expect(pairs.map(({ p, pHolm }) => [p, pHolm])).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    expect(pairs[1]).toMatchObject({ a: 0, b: 2, difference: -6.5 });
  });

  it('groups: refused with the ways their labels can be permuted', () => {
    const sides = [
      { a: 'causal', x: 3 },
      { b: 'control', y: 3 },
    ] as const;
    expect(groupRefusal(...sides, 2)).toContain('in 20 ways: no p below 0.050');
    expect(groupRefusal(...sides)).toBeNull();
    expect(groupRefusal({ a: 'causal', x: 2 }, { b: 'control', y: 9 })).toContain('causal has 2');
    expect(groupDifference([true, true, false, false, false], () => 1, { resamples: 9, seed: 1 })).toBeNull();
  });

  it('correlations and effect sizes', () => {
    expect(correlationRefusal(2)).toContain('at least 3');
    expect(correlationRefusal(3)).toBeNull();
    expect(cohenDz([3])).toBeNull();
    expect(cohenDz([2, 2, 2])).toBeNull();
    expect(hedgesG([1, 2])).toBeNull();
    expect(cliffsDelta([], [1])).toBeNull();
  });

  it('drawn sign patterns are as many as the correction needs', () => {
    const values = Array.from({ length: 24 }, (_, i) => 1 + (i % 3));
    const { p, smallest } = signFlipTest(values, { tests: 1128, seed: 1 });
    expect(smallest).toBeLessThanOrEqual(0.05 / 1128);
    expect(p).toBeLessThanOrEqual(0.05 / 1128);
  });
});
