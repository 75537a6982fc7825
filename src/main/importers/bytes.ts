import { TextDecoder } from 'node:util';
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

/**
 * Decompresses a gzip stream of one or more members. Gives every byte that can be decompressed before it
 * throws a FormatError (IMPORT_GZIP_TRUNCATED, IMPORT_GZIP_DAMAGED).
 */
export async function* gunzip(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  let ready: Uint8Array[] = [];
  const faults: Error[] = [];
  stream.on('data', (chunk: Uint8Array) => ready.push(chunk));
  stream.on('error', (error) => faults.push(error));
  const take = (): Uint8Array[] => {
    const taken = ready;
    ready = [];
    return taken;
  };
  try {
    for await (const chunk of source) {
      await new Promise<void>((resolve) => stream.write(chunk, () => resolve()));
      yield* take();
      if (faults.length > 0) throw gzipFault(faults[0], name);
    }
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

const BOMS = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
] as const;

/** The encoding that a byte-order mark announces, or null without one. */
export function bomEncoding(head: Uint8Array): string | null {
  return BOMS.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte))?.encoding ?? null;
}

export interface DecodeOptions {
  readonly name: string;
  /** The encoding that the content itself declares, looked for in the first chunk; null = UTF-8. */
  readonly declared?: (head: Uint8Array) => string | null;
}

/**
 * Bytes to text: the byte-order mark decides (and is dropped), else the declared encoding, else UTF-8.
 * Bytes that the encoding does not have are a FormatError (IMPORT_ENCODING), never replacement characters.
 */
export async function* decodeText(
  source: AsyncIterable<Uint8Array>,
  { name, declared }: DecodeOptions,
): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  for await (const chunk of source) {
    decoder ??= newDecoder(bomEncoding(chunk) ?? declared?.(chunk) ?? 'utf-8', name);
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch (error) {
      const loose = new TextDecoder(decoder.encoding).decode(chunk);
      yield loose.slice(0, Math.max(0, loose.indexOf('\ufffd')));
      throw encodingFault(decoder.encoding, name, error);
    }
    if (text !== '') yield text;
  }
  try {
    const rest = decoder?.decode() ?? '';
    if (rest !== '') yield rest;
  } catch (error) {
    throw encodingFault(decoder?.encoding ?? 'utf-8', name, error);
  }
}

function newDecoder(encoding: string, name: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new FormatError(
      'IMPORT_ENCODING',
      `${name} declares the text encoding "${encoding}", which is not known.`,
      'Save the file as UTF-8 and import it again.',
      error,
    );
  }
}

function encodingFault(encoding: string, name: string, cause: unknown): FormatError {
  return new FormatError(
    'IMPORT_ENCODING',
    `${name} holds bytes that are not ${encoding.toUpperCase()} text.`,
    'Save the file as UTF-8 (in Excel: "CSV UTF-8") and import it again.',
    cause,
  );
}

export interface Line {
  readonly text: string;
  /** From 1. */
  readonly number: number;
}

/** Text to lines, ended by LF or CRLF, without their ends. A line beyond the limit is a FormatError. */
export async function* splitLines(source: AsyncIterable<string>, name: string): AsyncGenerator<Line> {
  let number = 1;
  let open: string[] = [];
  let openChars = 0;
  for await (const chunk of source) {
    const pieces = chunk.split('\n');
    for (let i = 0; i < pieces.length; i += 1) {
      const piece = pieces[i] ?? '';
      open.push(piece);
      openChars += piece.length;
      if (openChars > MAX_UNIT_CHARS) throw lineTooLong(name, number);
      if (i === pieces.length - 1) break;
      yield { text: open.join('').replace(/\r$/, ''), number };
      number += 1;
      open = [];
      openChars = 0;
    }
  }
  if (openChars > 0) yield { text: open.join('').replace(/\r$/, ''), number };
}

function lineTooLong(name: string, line: number): FormatError {
  return new FormatError(
    'IMPORT_LINE_TOO_LONG',
    `${name}, line ${line}: the line is longer than ${MAX_UNIT_CHARS / 1024 / 1024} million characters.`,
    'Check that the file holds one record a line.',
  );
}
