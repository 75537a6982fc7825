import { describe, expect, test } from 'vitest';
import { createRateLimit } from '../../../../src/main/importers/eutils/bucket.ts';

/** Time that passes only by sleeping. */
function clock() {
  let at = 0;
  return {
    now: () => at,
    sleep: async (milliseconds: number, signal: AbortSignal) => {
      signal.throwIfAborted();
      await Promise.resolve();
      at += milliseconds;
    },
  };
}

describe('the rate limit', () => {
  test.each([3, 10])('lets at most %i requests pass in any second', async (rate) => {
    const time = clock();
    const limit = createRateLimit(time);
    const { signal } = new AbortController();
    const passed: number[] = [];
    for (let i = 0; i < 40; i++) {
      await limit.pass(rate, signal);
      passed.push(time.now());
    }
    for (let i = rate; i < passed.length; i++) {
      expect((passed[i] ?? 0) - (passed[i - rate] ?? 0)).toBeGreaterThanOrEqual(1_000);
    }
    expect(passed.at(-1)).toBeLessThanOrEqual(Math.ceil(40 / rate) * 1_000);
  });

  test('lets nothing pass while the server rests', async () => {
    const time = clock();
    const limit = createRateLimit(time);
    const { signal } = new AbortController();
    await limit.pass(3, signal);
    limit.rest(5_000);
    await limit.pass(3, signal);
    expect(time.now()).toBeGreaterThanOrEqual(5_000);
  });

  test('a waiting request ends with its signal', async () => {
    const limit = createRateLimit();
    const abort = new AbortController();
    await limit.pass(1, abort.signal);
    const waiting = limit.pass(1, abort.signal);
    abort.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});
