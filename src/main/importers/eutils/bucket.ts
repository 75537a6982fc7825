import { setTimeout as sleep } from 'node:timers/promises';

/** NCBI's limits, requests a second. */
export const RATE_PLAIN = 3;
export const RATE_WITH_KEY = 10;

/** Lets requests pass no faster than a rate. One for the whole application: NCBI counts by address. */
export interface RateLimit {
  /** Resolves when the next request may be sent; rejects with the signal's reason. */
  pass(perSecond: number, signal: AbortSignal): Promise<void>;
  /** Nothing passes for so long: the server asked for it. */
  rest(milliseconds: number): void;
}

interface Clock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const REAL: Clock = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

/** In any second at most `perSecond` requests pass: each waits until the one `perSecond` before it is a second old. */
export function createRateLimit(clock: Clock = REAL): RateLimit {
  /** Times at which requests passed or are to pass, oldest first. */
  const passes: number[] = [];
  let restUntil = Number.NEGATIVE_INFINITY;
  return {
    pass: async (perSecond, signal) => {
      const now = clock.now();
      const before = passes.at(-perSecond);
      const at = Math.max(now, restUntil, passes.at(-1) ?? now, before === undefined ? now : before + 1_000);
      passes.push(at);
      if (passes.length > RATE_WITH_KEY) passes.shift();
      for (let left = at - now; left > 0; left = Math.max(at, restUntil) - clock.now()) {
        await clock.sleep(Math.ceil(left), signal).catch((error: unknown) => {
          signal.throwIfAborted();
          throw error;
        });
      }
    },
    rest: (milliseconds) => {
      restUntil = Math.max(restUntil, clock.now() + milliseconds);
    },
  };
}
