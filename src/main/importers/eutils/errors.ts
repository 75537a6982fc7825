import { EngineError, FormatError, UserInputError, type EngramError } from '../../../shared/errors/index.ts';
import type { EutilsAccess } from './access.ts';

/** Worth another try: a broken connection, a server at its limit, an answer that is not whole. */
export class Passing extends Error {
  /** What the user is told when patience ends. */
  readonly error: EngramError;
  /** What the server asks to wait, milliseconds; null = it does not say. */
  readonly waitMs: number | null;

  constructor(error: EngramError, waitMs: number | null = null) {
    super(error.message);
    this.error = error;
    this.waitMs = waitMs;
  }
}

const hostOf = ({ base }: EutilsAccess): string => new URL(base).host;

/** No answer at all: no network, no such host, a connection that broke. */
export function unreachable(access: EutilsAccess, cause: unknown): EngramError {
  return new EngineError(
    'PUBMED_UNREACHABLE',
    `PubMed cannot be reached: ${hostOf(access)} gives no answer (${reasonOf(cause)}).`,
    'Engram works without a network: import files saved from PubMed, or search again when there is one.',
    cause,
  );
}

/** Too many requests from this address, by this and other programs. */
export function busy(access: EutilsAccess, waitMs: number | null): EngramError {
  const wait = waitMs === null ? 'a few minutes' : `${Math.ceil(waitMs / 1000)} seconds`;
  return new EngineError(
    'PUBMED_BUSY',
    `${hostOf(access)} receives too many requests from this network.`,
    `Wait ${wait} and continue; what has arrived is kept. A free API key allows ten requests a second.`,
  );
}

export function serverFault(access: EutilsAccess, status: number): EngramError {
  return new EngineError(
    'PUBMED_FAILED',
    `${hostOf(access)} answered with the error ${status}.`,
    'Continue later; what has arrived is kept.',
  );
}

/** The server refuses the key. */
export function keyRefused(): EngramError {
  return new UserInputError(
    'PUBMED_KEY_INVALID',
    'PubMed does not accept the API key.',
    'Correct or remove it in the settings under PubMed.',
  );
}

/** The server understood and refuses, in its own words. */
export function refused(words: string): EngramError {
  return new UserInputError(
    'PUBMED_REFUSED',
    `PubMed refuses the search: ${shorten(words)}`,
    'Correct the search and try again.',
  );
}

/** An error of PubMed's own, behind a status of success. */
export function backendFault(words: string): EngramError {
  return new EngineError(
    'PUBMED_FAILED',
    `PubMed could not answer: ${shorten(words)}`,
    'Continue later; what has arrived is kept.',
  );
}

/** An answer with the status of success that is not what was asked for. */
export function damaged(what: string, cause?: unknown): EngramError {
  return new FormatError(
    'PUBMED_ANSWER_INVALID',
    `PubMed answered with ${what}.`,
    'Continue later; if it happens again, something between this machine and PubMed changes answers.',
    cause,
  );
}

function shorten(words: string): string {
  const line = words.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** `fetch` hides the system's reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
