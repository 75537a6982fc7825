import { expect, test } from 'vitest';
import { groupDifference, relabelings } from '../../../../src/main/engine/stats/index.ts';

const values = [3, 4, 5, 4, 0, 1, 0, 2, 1];
const groups = values.map((_, i) => i < 4);
const mean = (weights: ArrayLike<number>): number | null => {
  const n = Array.from(weights).reduce((sum, w) => sum + w, 0);
  return n === 0 ? null : values.reduce((sum, v, i) => sum + v * (weights[i] ?? 0), 0) / n;
};

test('the difference of two groups, with an interval from draws within each group', () => {
  const result = groupDifference(groups, mean, { resamples: 4000, seed: 7 });
  expect(result?.value).toBeCloseTo(4 - 0.8, 12);
  // The normal approximation of the bootstrap: SDs of the two means are 0.354 and 0.335.
  const sd = Math.hypot(Math.sqrt(0.5 / 4), Math.sqrt(0.56 / 5));
  expect(result?.low).toBeGreaterThan(3.2 - 2.4 * sd);
  expect(result?.low).toBeLessThan(3.2 - 1.5 * sd);
  expect(result?.high).toBeGreaterThan(3.2 + 1.5 * sd);
  expect(result?.high).toBeLessThan(3.2 + 2.4 * sd);
  expect(groupDifference(groups, mean, { resamples: 4000, seed: 7 })).toEqual(result);
});

test('is refused with fewer than three clusters in a group', () => {
  const few = values.map((_, i) => i < 2);
  expect(groupDifference(few, mean, { resamples: 100, seed: 7 })).toBeNull();
});

test('relabelings are binomial coefficients', () => {
  expect([relabelings(6, 3), relabelings(9, 4), relabelings(44, 18)]).toEqual([20, 126, 1029530696964]);
});
