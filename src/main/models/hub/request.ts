import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '../../../shared/errors/index.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import type { HubAccess } from './access.ts';
import { damagedAnswer, refusal, unreachable, type HubTarget } from './errors.ts';

const MOST_REDIRECTS = 8;
/** Tries in a row that bring nothing, before giving up. */
const TRIES = 6;
const LONGEST_WAIT_MS = 300_000;

/** An answer after its redirects. */
export interface HubAnswer {
  readonly response: Response;
  /** The content's own name: `X-Linked-Etag` of the hub where it redirects to another host, else the ETag. */
  readonly contentTag: string | null;
  /** Tells that bytes arrived; without it for `idleMs` the transfer is broken off. */
  readonly alive: () => void;
  /** Ends the watch over silence; the body is read or given up. */
  readonly done: () => void;
}

/** Worth another try: a broken connection, a server at its limit. */
class Again extends Error {
  readonly error: EngramError;
  /** What the server asks to wait, milliseconds. */
  readonly waitMs: number | null;

  constructor(error: EngramError, waitMs: number | null) {
    super(error.message);
    this.error = error;
    this.waitMs = waitMs;
  }
}

/** Asks the hub once. Follows its redirects itself, so that the token stays with the hub. */
export async function hubRequest(
  access: HubAccess,
  url: string,
  target: HubTarget,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HubAnswer> {
  // One controller that the answer keeps: the request ends with the user's signal, or with too long a silence.
  const end = new AbortController();
  const stop = (): void => {
    end.abort(signal.reason);
  };
  let timer: NodeJS.Timeout | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      end.abort(new Error(`nothing arrived for ${access.idleMs / 1000} s`));
    }, access.idleMs);
  };
  const done = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  let at = new URL(url);
  let contentTag: string | null = null;
  alive();
  try {
    for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
      const own = access.token !== null && at.origin === new URL(access.hub).origin;
      const response = await fetch(at, {
        redirect: 'manual',
        signal: end.signal,
        headers: {
          ...headers,
          'accept-encoding': 'identity',
          'user-agent': `engram/${ENGINE_VERSION}`,
          ...(own ? { authorization: `Bearer ${access.token}` } : {}),
        },
      });
      contentTag = response.headers.get('x-linked-etag') ?? contentTag;
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || location === null) {
        return { response, contentTag: contentTag ?? response.headers.get('etag'), alive, done };
      }
      await response.body?.cancel();
      const next = new URL(location, at);
      if (at.protocol === 'https:' && next.protocol !== 'https:') {
        throw damagedAnswer(target, `a redirect from https to ${next.protocol}//${next.host}`);
      }
      at = next;
    }
    throw damagedAnswer(target, `more than ${MOST_REDIRECTS} redirects`);
  } catch (error) {
    done();
    signal.throwIfAborted();
    throw error instanceof EngramError
      ? error
      : brokenOff(end.signal.aborted ? end.signal.reason : error, target);
  }
}

/** A connection that broke, as something to try again. */
export function brokenOff(error: unknown, target: HubTarget): Error {
  return new Again(unreachable(error, target), null);
}

/** Throws for an answer that is no success; those that may pass are marked to be tried again. */
export function requireSuccess(response: Response, target: HubTarget): void {
  if (response.ok) return;
  const error = refusal(response, target);
  if (response.status !== 429 && response.status < 500) throw error;
  throw new Again(error, retryAfter(response.headers));
}

/** `Retry-After` in seconds or as a date, or the reset of `RateLimit: …;t=55`; milliseconds. */
export function retryAfter(headers: Headers, now: number = Date.now()): number | null {
  const value = headers.get('retry-after');
  const reset = /;\s*t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  const seconds =
    value !== null && /^\d+$/.test(value.trim()) ? value.trim() : value === null ? reset : undefined;
  if (seconds !== undefined) return Number(seconds) * 1000;
  const date = value === null ? Number.NaN : Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * Does `work` until it succeeds, with growing waits while the connection breaks or the hub asks for patience.
 * `work` says how far it got, so that a transfer that moves on is never given up; `tell` hears why it waits.
 */
export async function persistently<T>(
  { retryMs }: HubAccess,
  signal: AbortSignal,
  tell: (message: string) => void,
  progress: () => number,
  work: () => Promise<T>,
): Promise<T> {
  let reached = progress();
  for (let fruitless = 1; ; fruitless++) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Again)) throw error;
      if (progress() > reached) fruitless = 1;
      reached = progress();
      if (fruitless >= TRIES) throw error.error;
      const wait = Math.min(error.waitMs ?? retryMs * 2 ** (fruitless - 1), LONGEST_WAIT_MS);
      tell(
        error.waitMs === null
          ? `the connection broke; trying again in ${seconds(wait)}`
          : `the hub asks to wait ${seconds(wait)}`,
      );
      await sleep(wait, undefined, { signal }).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw cause;
      });
    }
  }
}

const seconds = (ms: number): string => `${Math.max(1, Math.round(ms / 1000))} s`;

/** Once, without patience: for questions a person waits for. */
export async function atOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Again ? error.error : error;
  }
}
