import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Mt19937, trainTestSplit } from '../../../../src/main/engine/random/index.ts';

const Reference = z.object({
  splits: z.array(
    z.object({
      n: z.number(),
      train_count: z.number(),
      test_count: z.number(),
      train_sha256: z.string(),
      test_sha256: z.string(),
      train: z.array(z.number()).optional(),
      test: z.array(z.number()).optional(),
    }),
  ),
  permutations: z.array(z.object({ seed: z.number(), n: z.number(), permutation: z.array(z.number()) })),
  random_state_draws: z.array(
    z.object({
      seed: z.number(),
      uint32: z.array(z.number()),
      random_sample: z.array(z.number()),
      standard_normal: z.array(z.number()),
    }),
  ),
});
const reference = Reference.parse(
  JSON.parse(readFileSync(new URL('../../../reference/split.json', import.meta.url), 'utf8')),
);
const digest = (values: Int32Array): string => createHash('sha256').update(values.join(',')).digest('hex');

describe('Mt19937 draws as numpy.random.RandomState', () => {
  it.each(reference.random_state_draws)('seed $seed', (draws) => {
    const five = (next: () => number): number[] => Array.from({ length: 5 }, next);
    const [a, b, c] = [new Mt19937(draws.seed), new Mt19937(draws.seed), new Mt19937(draws.seed)];
    expect(five(() => a.uint32())).toEqual(draws.uint32);
    expect(five(() => b.double())).toEqual(draws.random_sample);
    // The logarithm may differ in the last bit between platforms.
    five(() => c.normal()).forEach((value, i) =>
      expect(value).toBeCloseTo(draws.standard_normal[i] ?? NaN, 14),
    );
  });

  it.each(reference.permutations)('permutation of $n with seed $seed', ({ seed, n, permutation }) => {
    expect([...new Mt19937(seed).permutation(n)]).toEqual(permutation);
  });

  it('keeps its draws across the regeneration of the state', () => {
    // numpy: RandomState(42).randint(0, 2**32, 2000, dtype=np.uint32)[[623, 624, 1999]]
    const generator = new Mt19937(42);
    const draws = Array.from({ length: 2000 }, () => generator.uint32());
    expect([draws[623], draws[624], draws[1999]]).toEqual([1077437785, 108880612, 2238969328]);
  });

  it('refuses seeds that NumPy refuses', () => {
    expect(() => new Mt19937(-1)).toThrow(/seed/);
    expect(() => new Mt19937(2 ** 32)).toThrow(/seed/);
  });
});

describe('trainTestSplit is scikit-learn’s', () => {
  it.each(reference.splits)('n = $n', (expected) => {
    const split = trainTestSplit(expected.n);
    expect([split.train.length, split.test.length]).toEqual([expected.train_count, expected.test_count]);
    expect([digest(split.train), digest(split.test)]).toEqual([expected.train_sha256, expected.test_sha256]);
    if (expected.train !== undefined) expect([...split.train]).toEqual(expected.train);
    if (expected.test !== undefined) expect([...split.test]).toEqual(expected.test);
  });

  it.each([0, 1])('refuses %d texts', (n) => {
    expect(() => trainTestSplit(n)).toThrow(expect.objectContaining({ code: 'SPLIT_TOO_SMALL' }));
  });
});
