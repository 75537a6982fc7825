/**
 * The error taxonomy. A user's mistake, a damaged file, a failed computation and our own bug are
 * different things and must stay different across processes: every error has a stable `code`, says
 * what happened to what (`message`), and what to do next (`next`).
 */

export const ERROR_KINDS = {
  /** The user asked for something that cannot be done as asked. Exit code 2. */
  user: 2,
  /** A file or answer is not what it claims to be. Exit code 2. */
  format: 2,
  /** A computation failed (memory, provider, numeric). Exit code 1. */
  engine: 1,
  /** The study on disk could not be read or written. Exit code 1. */
  store: 1,
  /** The user stopped it. Exit code 1. */
  cancelled: 1,
  /** Our bug. Exit code 1. */
  invariant: 1,
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

export interface ErrorDetail {
  /** Stable, upper-case, e.g. `IMPORT_XML_TRUNCATED`. */
  readonly code: string;
  /** What happened, to what: file, line, field. One sentence. */
  readonly message: string;
  /** What the user can do now. One sentence. */
  readonly next: string;
  readonly cause?: unknown;
}

export class EngramError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly next: string;

  constructor(kind: ErrorKind, detail: ErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.code = detail.code;
    this.next = detail.next;
  }

  /** One line for a terminal: code, cause, next step. */
  toLine(): string {
    return `${this.code}: ${this.message} ${this.next}`.replace(/\s+/g, ' ').trim();
  }
}

export class UserInputError extends EngramError {
  constructor(code: string, message: string, next: string, cause?: unknown) {
    super('user', { code, message, next, cause });
  }
}

export class FormatError extends EngramError {
  constructor(code: string, message: string, next: string, cause?: unknown) {
    super('format', { code, message, next, cause });
  }
}

export class EngineError extends EngramError {
  constructor(code: string, message: string, next: string, cause?: unknown) {
    super('engine', { code, message, next, cause });
  }
}

export class StoreError extends EngramError {
  constructor(code: string, message: string, next: string, cause?: unknown) {
    super('store', { code, message, next, cause });
  }
}

export class CancelledError extends EngramError {
  constructor(what: string) {
    super('cancelled', {
      code: 'CANCELLED',
      message: `${what} was stopped.`,
      next: 'Start it again to continue where it stopped.',
    });
  }
}

export class InvariantError extends EngramError {
  constructor(message: string, cause?: unknown) {
    super('invariant', {
      code: 'BUG',
      message,
      next: 'This is a fault in Engram; please report it with the log.',
      cause,
    });
  }
}

/** What crosses a process border. */
export interface SerializedError {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly next: string;
  readonly stack?: string;
}

const CLASSES: Record<ErrorKind, (e: SerializedError) => EngramError> = {
  user: (e) => new UserInputError(e.code, e.message, e.next),
  format: (e) => new FormatError(e.code, e.message, e.next),
  engine: (e) => new EngineError(e.code, e.message, e.next),
  store: (e) => new StoreError(e.code, e.message, e.next),
  cancelled: (e) => Object.assign(new CancelledError(''), { message: e.message }),
  invariant: (e) => new InvariantError(e.message),
};

export function serializeError(error: unknown): SerializedError {
  if (error instanceof EngramError) {
    return {
      kind: error.kind,
      code: error.code,
      message: error.message,
      next: error.next,
      ...(error.stack === undefined ? {} : { stack: error.stack }),
    };
  }
  const bug = new InvariantError(error instanceof Error ? error.message : String(error), error);
  const stack = error instanceof Error ? error.stack : undefined;
  return { ...serializeError(bug), ...(stack === undefined ? {} : { stack }) };
}

export function deserializeError(error: SerializedError): EngramError {
  const revived = CLASSES[error.kind](error);
  if (error.stack !== undefined) revived.stack = error.stack;
  return revived;
}

/** Any thrown value as one of ours; unknown ones are our bug. */
export function toEngramError(error: unknown): EngramError {
  return error instanceof EngramError
    ? error
    : new InvariantError(error instanceof Error ? error.message : String(error), error);
}

export function exitCodeOf(error: unknown): number {
  return ERROR_KINDS[toEngramError(error).kind];
}

/** Throws an InvariantError when a condition that only our own code can break does not hold. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
