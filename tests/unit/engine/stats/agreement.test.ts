import { describe, expect, it } from 'vitest';
import { kendall, rankAgreement, strongest } from '../../../../src/main/engine/stats/index.ts';

describe('kendall', () => {
  // scipy.stats.kendalltau of the same lists (SciPy 1.17; τ-b is its default).
  it.each([
    ['reversed', [1, 2, 3, 4], [4, 3, 2, 1], -1],
    ['one exchange of neighbours', [1, 2, 3, 4, 5], [2, 1, 3, 4, 5], 0.8],
    ['ties on both sides', [12, 2, 1, 12, 2], [1, 4, 7, 1, 0], -0.4714045207910316],
    ['ties on one side', [1, 1, 2, 3, 3, 4], [0.5, 0.1, -2, 7, 8, 9], 0.6445033866354897],
  ])('%s', (_name, x, y, expected) => {
    expect(kendall(x, y)).toBeCloseTo(expected, 12);
  });

  it('is not defined where nothing varies', () => {
    expect(kendall([1], [2])).toBeNull();
    expect(kendall([1, 2], [3, 3])).toBeNull();
  });
});

describe('the strongest values', () => {
  it('are the largest without their sign, ties in order, gaps left out', () => {
    expect(strongest([0.1, -3, null, 2, Number.NaN, 3], 3)).toEqual([1, 5, 3]);
    expect(strongest([1], 5)).toEqual([0]);
  });
});

describe('rank agreement', () => {
  it('of equal lists is complete', () => {
    const values = [0.3, -2, 1, 0.01];
    expect(rankAgreement(values, values)).toEqual({
      n: 4,
      spearman: 1,
      kendall: 1,
      sameSign: 4,
      overlap: { k: 2, shared: 2 },
      largestError: 0,
    });
  });

  it('counts signs, shared places and the largest error', () => {
    const agreement = rankAgreement([1, -2, 3, 0.5, 0.1], [1.5, 2, 0.1, 0.5, -0.2]);
    expect(agreement.sameSign).toBe(3);
    // By estimate the strongest three are 2, 1, 0; by exact effect 1, 0, 3.
    expect(agreement.overlap).toEqual({ k: 3, shared: 2 });
    expect(agreement.largestError).toBe(4);
    // Ranks 4 1 5 3 2 and 4 5 2 3 1: Σd² = 0 + 16 + 9 + 0 + 1, ρ = 1 − 6·26/120.
    expect(agreement.spearman).toBeCloseTo(-0.3, 12);
  });
});
