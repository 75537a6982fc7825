import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { FormatError } from '../../shared/errors/index.ts';
import { MAX_UNIT_CHARS } from './types.ts';

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** As much of the start of a gzip file as its first bytes hold. */
export function gunzipHead(head: Uint8Array, name: string): Uint8Array {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (error) {
    throw gzipFault(error, name);
  }
}

/** Compressed bytes handed to zlib at a time: at the most deflate can do, they become 32 MB. */
const GUNZIP_BYTES = 32 * 1024;
/** What zlib fills before it comes back: more than a piece of a PubMed file becomes, so that it need not ask midway. */
const UNPACKED_BYTES = 512 * 1024;
/** PubMed's files shrink to about a tenth. More than this, over so many bytes, is made to fill a disk or a day. */
export const MAX_GZIP_RATIO = 200;
const RATIO_FROM_BYTES = 64 * 1024 * 1024;

/**
 * Decompresses a gzip stream of one or more members. Gives every byte that can be decompressed before it
 * throws a FormatError (IMPORT_GZIP_TRUNCATED, IMPORT_GZIP_DAMAGED, IMPORT_GZIP_BOMB). A piece is decompressed in
 * another thread while the one before it is being read.
 */
export async function* gunzip(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: UNPACKED_BYTES });
  let ready: Uint8Array[] = [];
  const faults: Error[] = [];
  stream.on('data', (chunk: Uint8Array) => ready.push(chunk));
  stream.on('error', (error) => faults.push(error));
  const take = (): Uint8Array[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  let given: Uint8Array[] = [];
  let packed = 0;
  let unpacked = 0;
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += GUNZIP_BYTES) {
        const piece = chunk.subarray(at, at + GUNZIP_BYTES);
        const written = new Promise<void>((resolve) => stream.write(piece, () => resolve()));
        yield* given;
        await written;
        given = take();
        packed += piece.length;
        for (const { length } of given) unpacked += length;
        if (unpacked > RATIO_FROM_BYTES && unpacked > packed * MAX_GZIP_RATIO) throw gzipBomb(name);
        if (faults.length === 0) continue;
        yield* given;
        throw gzipFault(faults[0], name);
      }
    }
    yield* given;
    await new Promise<void>((resolve) => {
      stream.once('end', resolve).once('error', () => resolve());
      stream.end();
    });
    yield* take();
    if (faults.length > 0) throw gzipFault(faults[0], name);
  } finally {
    stream.destroy();
  }
}

function gzipBomb(name: string): FormatError {
  return new FormatError(
    'IMPORT_GZIP_BOMB',
    `${name} grows to more than ${MAX_GZIP_RATIO} times its size when it is decompressed.`,
    'Check where the file comes from; no export of articles does that.',
  );
}

function gzipFault(error: unknown, name: string): FormatError {
  const truncated = error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
  return truncated
    ? new FormatError(
        'IMPORT_GZIP_TRUNCATED',
        `${name} ends before its compressed data does.`,
        'Download or copy the file again; what was read before the cut is kept.',
        error,
      )
    : new FormatError(
        'IMPORT_GZIP_DAMAGED',
        `${name} holds damaged compressed data (${error instanceof Error ? error.message : String(error)}).`,
        'Download or copy the file again; what was read before the damage is kept.',
        error,
      );
}

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** CRLF and lone CR as LF: also inside quotes, so that lines are counted once. */
export async function* unixLineEnds(source: AsyncIterable<string>): AsyncGenerator<string> {
  let carried = '';
  for await (const text of source) {
    const whole = carried + text;
    carried = whole.endsWith('\r') ? '\r' : '';
    yield whole.slice(0, whole.length - carried.length).replace(/\r\n?/g, '\n');
  }
  if (carried !== '') yield '\n';
}

/** Text to lines, ended by LF, CRLF or CR, without their ends. A line beyond the limit is a FormatError. */
export async function* splitLines(source: AsyncIterable<string>, name: string): AsyncGenerator<Line> {
  let number = 1;
  let open: string[] = [];
  let openChars = 0;
  for await (const chunk of unixLineEnds(source)) {
    const pieces = chunk.split('\n');
    for (let i = 0; i < pieces.length; i += 1) {
      const piece = pieces[i] ?? '';
      open.push(piece);
      openChars += piece.length;
      if (openChars > MAX_UNIT_CHARS) throw lineTooLong(name, number);
      if (i === pieces.length - 1) break;
      yield { text: open.join(''), number };
      number += 1;
      open = [];
      openChars = 0;
    }
  }
  if (openChars > 0) yield { text: open.join(''), number };
}

function lineTooLong(name: string, line: number): FormatError {
  return new FormatError(
    'IMPORT_LINE_TOO_LONG',
    `${name}, line ${line}: the line is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million characters.`,
    'Check that the file holds one record a line.',
  );
}
