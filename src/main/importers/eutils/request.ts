import { setTimeout as sleep } from 'node:timers/promises';
import { EngramError } from '../../../shared/errors/index.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import type { EutilsAccess, EutilsPatience } from './access.ts';
import { RATE_PLAIN, RATE_WITH_KEY, type RateLimit } from './bucket.ts';
import { busy, damaged, keyRefused, Passing, refused, serverFault, unreachable } from './errors.ts';

/** What every request needs beside what it asks. */
export interface EutilsLink {
  readonly access: EutilsAccess;
  readonly limit: RateLimit;
  readonly patience: EutilsPatience;
  readonly signal: AbortSignal;
  /** Hears why it waits. */
  readonly tell: (message: string) => void;
}

export type Program = 'esearch.fcgi' | 'efetch.fcgi';

/** No answer of 500 articles comes near this; more is refused, never buffered. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Sends one request until `read` accepts its answer, with growing waits, and never faster than NCBI allows.
 * Everything goes in the body (POST): long lists of PMIDs fit, and the key is in no address. Throws what
 * `read` throws for good, or why no try brought an answer; the signal's reason when ended.
 */
export async function ask<T>(
  link: EutilsLink,
  program: Program,
  fields: Readonly<Record<string, string>>,
  read: (answer: Uint8Array) => T | Promise<T>,
): Promise<T> {
  const { patience, signal, limit, access, tell } = link;
  for (let tries = 1; ; tries++) {
    await limit.pass(access.key === null ? RATE_PLAIN : RATE_WITH_KEY, signal);
    try {
      return await read(await once(link, program, fields));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      const { waitMs } = error;
      if (tries >= patience.tries || (waitMs !== null && waitMs > patience.longestMs)) throw error.error;
      const wait = waitMs ?? patience.retryMs * 2 ** (tries - 1);
      if (waitMs !== null) limit.rest(waitMs);
      tell(`${error.error.message} Trying again in ${Math.max(1, Math.round(wait / 1000))} s.`);
      await sleep(wait, undefined, { signal }).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw cause;
      });
    }
  }
}

/** One request and its whole body. Throws `Passing` for whatever may pass. */
async function once(
  { access, patience, signal }: EutilsLink,
  program: Program,
  fields: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const end = new AbortController();
  const stop = (): void => {
    end.abort(signal.reason);
  };
  const limit = (milliseconds: number, what: string): NodeJS.Timeout =>
    setTimeout(() => {
      end.abort(new Error(what));
    }, milliseconds);
  const idle = () => limit(patience.idleMs, `nothing arrived for ${patience.idleMs / 1000} s`);
  const whole = limit(patience.answerMs, `the answer was not complete after ${patience.answerMs / 1000} s`);
  let silence = idle();
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const response = await fetch(new URL(program, access.base), {
      method: 'POST',
      redirect: 'error',
      signal: end.signal,
      headers: { 'user-agent': `${access.tool}/${ENGINE_VERSION}` },
      body: new URLSearchParams({
        ...fields,
        db: 'pubmed',
        tool: access.tool,
        email: access.email,
        ...(access.key === null ? {} : { api_key: access.key }),
      }),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    // The chunks of a body are bytes by the standard.
    for await (const chunk of (response.body as AsyncIterable<Uint8Array> | null) ?? []) {
      clearTimeout(silence);
      silence = idle();
      bytes += chunk.length;
      if (bytes > MOST_BYTES) throw damaged(`more than ${MOST_BYTES / 2 ** 20} MB`);
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    requireSuccess(access, response, body);
    return body;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngramError || error instanceof Passing) throw error;
    throw new Passing(unreachable(access, end.signal.aborted ? end.signal.reason : error));
  } finally {
    clearTimeout(silence);
    clearTimeout(whole);
    signal.removeEventListener('abort', stop);
  }
}

function requireSuccess(access: EutilsAccess, response: Response, body: Buffer): void {
  if (response.ok) return;
  const { status } = response;
  const words = body.toString('utf8', 0, 2_000);
  if (status === 429 || /API rate limit exceeded/i.test(words)) {
    const wait = retryAfter(response.headers);
    throw new Passing(busy(access, wait), wait);
  }
  if (status >= 500 || status === 408) {
    throw new Passing(serverFault(access, status), retryAfter(response.headers));
  }
  if (/API key (?:invalid|not)/i.test(words)) throw keyRefused();
  throw refused(`${status} ${words.replace(/<[^>]*>/g, ' ')}`);
}

/** `Retry-After` in seconds or as a date; milliseconds. */
function retryAfter(headers: Headers, now: number = Date.now()): number | null {
  const value = headers.get('retry-after')?.trim();
  if (value === undefined) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
