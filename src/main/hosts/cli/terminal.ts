import { toEngramError } from '../../../shared/errors/index.ts';

/** Where a command writes: results on stdout, everything else on stderr. */
export interface Terminal {
  readonly json: boolean;
  /** A machine-readable result (`--json`). */
  result(value: unknown): void;
  /** Text as it is, for tables that go to another program. */
  raw(text: string): void;
  /** A line for people; silent under `--json`. */
  say(line: string): void;
  /** A line on stderr that is always written: which step runs now. */
  note(line: string): void;
  /** Progress on one line of a terminal, or now and then a line of its own elsewhere. */
  progress(line: string): void;
  /** One line: code, cause, next step. */
  fail(error: unknown): void;
}

export interface Streams {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Least time between two progress lines where they cannot overwrite each other, in milliseconds. */
const PROGRESS_EVERY_MS = 2000;
const ERASE_LINE = '\r\u001b[2K';

export function createTerminal(
  json: boolean,
  { out, err }: Streams = { out: process.stdout, err: process.stderr },
): Terminal {
  let lastAt = Number.NEGATIVE_INFINITY;
  let open = false;
  const clear = (): void => {
    if (open) err.write(ERASE_LINE);
    open = false;
  };
  return {
    json,
    result: (value) => {
      clear();
      out.write(`${JSON.stringify(value)}\n`);
    },
    raw: (text) => {
      clear();
      out.write(text);
    },
    say: (line) => {
      clear();
      if (!json) out.write(`${line}\n`);
    },
    note: (line) => {
      clear();
      err.write(`${line}\n`);
    },
    progress: (line) => {
      if (err.isTTY === true) {
        err.write(`${ERASE_LINE}${line.slice(0, 118)}`);
        open = true;
        return;
      }
      const at = performance.now();
      if (at - lastAt < PROGRESS_EVERY_MS) return;
      lastAt = at;
      err.write(`${line}\n`);
    },
    fail: (error) => {
      clear();
      err.write(`${toEngramError(error).toLine()}\n`);
    },
  };
}
