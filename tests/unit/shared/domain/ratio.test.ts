import { expect, it } from 'vitest';
import { noRatio, smallestGap } from '../../../../src/shared/domain/index.ts';

it.each([
  ['logit_diff', 1e-6, 0.1],
  ['logit_diff_sum', 0.05, 0.1],
  ['log_prob', 0.3, 0.3],
  ['prob', 1e-6, 1e-6],
  ['kl', 0.02, 0.02],
])('of %s under epsilon %f a gap of %f is the smallest that is divided by', (metric, epsilon, gap) => {
  expect(smallestGap(metric, epsilon)).toBe(gap);
});

it('says why there is no ratio, with the gap and what it would have to be', () => {
  const base = { metric: 'logit_diff', epsilon: 1e-6, clean: 0.2, corrupted: 0.25 };
  expect(noRatio(base)).toContain('is −0.05, below 0.1');
  expect(noRatio({ ...base, corrupted: 0.1 })).toBeNull();
  expect(noRatio({ ...base, metric: 'prob' })).toBeNull();
  expect(noRatio({ ...base, clean: null })).toBeNull();
});
