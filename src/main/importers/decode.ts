import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { FormatError } from '../../shared/errors/index.ts';

const BOMS = [
  { encoding: 'utf-8', bytes: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', bytes: [0xff, 0xfe] },
  { encoding: 'utf-16be', bytes: [0xfe, 0xff] },
] as const;

/** The encoding that a byte-order mark announces, or null without one. */
export function bomEncoding(head: Uint8Array): string | null {
  return BOMS.find(({ bytes }) => bytes.every((byte, i) => head[i] === byte))?.encoding ?? null;
}

/**
 * UTF-16 without a mark, told by its first two characters, of which one byte each is zero; null for any
 * other text. Every format here begins with ASCII.
 */
export function unmarkedUtf16(head: Uint8Array): string | null {
  const [a, b, c, d] = head;
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'utf-16le';
  return a === 0 && b !== 0 && c === 0 && d !== 0 ? 'utf-16be' : null;
}

export interface DecodeOptions {
  readonly name: string;
  /** The encoding that the content itself declares, looked for in the first chunk; null = UTF-8. */
  readonly declared?: (head: Uint8Array) => string | null;
  /** Read a text that is not UTF-8 as Windows-1252, which older spreadsheets and databases write. */
  readonly singleByte?: boolean;
  readonly note?: ((text: string) => void) | undefined;
}

/**
 * Bytes to text: the byte-order mark decides (and is dropped), else UTF-16's zero bytes, else the declared
 * encoding, else UTF-8. Bytes that the encoding does not have are a FormatError (IMPORT_ENCODING), never
 * replacement characters; with `singleByte` the text is Windows-1252 from there on, if it was ASCII so far.
 */
export async function* decodeText(
  source: AsyncIterable<Uint8Array>,
  { name, declared, singleByte = false, note }: DecodeOptions,
): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let ascii = true;
  /** Of a character that goes on in the next part. */
  let open: Uint8Array = NOTHING;
  for await (const part of inParts(source)) {
    decoder ??= newDecoder(encodingOf(part, declared), name);
    const bytes: Uint8Array = open.length === 0 ? part : Buffer.concat([open, part]);
    let text: string;
    try {
      text = decoder.decode(part, { stream: true });
    } catch (error) {
      const before = soundStart(bytes, decoder.encoding);
      if (!singleByte || !ascii || decoder.encoding !== 'utf-8' || !isAscii(before)) {
        yield before;
        throw encodingFault(decoder.encoding, name, error);
      }
      note?.(`${name} is not UTF-8; it is read as Windows-1252.`);
      decoder = new TextDecoder('windows-1252');
      text = decoder.decode(bytes, { stream: true });
    }
    open = decoder.encoding === 'utf-8' ? Uint8Array.from(bytes.subarray(wholeCharacters(bytes))) : NOTHING;
    ascii &&= isAscii(text);
    if (text !== '') yield text;
  }
  try {
    const rest = decoder?.decode() ?? '';
    if (rest !== '') yield rest;
  } catch (error) {
    if (!singleByte || !ascii) throw encodingFault(decoder?.encoding ?? 'utf-8', name, error);
    note?.(`${name} is not UTF-8; it is read as Windows-1252.`);
    yield new TextDecoder('windows-1252').decode(open);
  }
}

const NOTHING = new Uint8Array(0);
/** Bytes decoded at a time: what is cut from a longer text, all of it held, makes the engine ask for more memory. */
const PART_BYTES = 16 * 1024;

async function* inParts(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; at += PART_BYTES) yield chunk.subarray(at, at + PART_BYTES);
  }
}

/**
 * The same as bytes of UTF-8, each chunk of whole characters and without a byte-order mark: for readers that look at
 * bytes. What is UTF-8 is checked and handed through; a chunk may be a view of what the source will write to again.
 */
export async function* utf8Bytes(
  source: AsyncIterable<Uint8Array>,
  options: DecodeOptions,
): AsyncGenerator<Uint8Array> {
  const { name, declared } = options;
  const chunks = source[Symbol.asyncIterator]();
  try {
    const first = await nextChunk(chunks);
    if (first === null) return;
    const encoding = encodingOf(first, declared);
    const rest = (async function* () {
      yield first;
      for (let chunk = await nextChunk(chunks); chunk !== null; chunk = await nextChunk(chunks)) yield chunk;
    })();
    if (newDecoder(encoding, name).encoding === 'utf-8') yield* checkedUtf8(rest, name);
    else for await (const text of decodeText(rest, options)) yield Buffer.from(text, 'utf8');
  } finally {
    await chunks.return?.();
  }
}

async function nextChunk(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return null;
    if (next.value.length > 0) return next.value;
  }
}

async function* checkedUtf8(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let begun = false;
  /** Of a character that goes on in the next chunk. */
  let open = new Uint8Array(0);
  for await (const chunk of source) {
    let bytes = open.length === 0 ? chunk : Buffer.concat([open, chunk]);
    if (!begun && bomEncoding(bytes) === 'utf-8') bytes = bytes.subarray(3);
    begun = true;
    const whole = bytes.subarray(0, wholeCharacters(bytes));
    if (!isUtf8(whole)) {
      yield Buffer.from(soundStart(bytes, 'utf-8'), 'utf8');
      throw encodingFault('utf-8', name);
    }
    open = Uint8Array.from(bytes.subarray(whole.length));
    if (whole.length > 0) yield whole;
  }
  if (open.length > 0) throw encodingFault('utf-8', name);
}

/** How many bytes there are before a character that is cut at the end. */
function wholeCharacters(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back += 1) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return length;
    if (byte < 0xc0) continue;
    const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return back < size ? length - back : length;
  }
  return length;
}

/** The encoding of a text that begins so. */
function encodingOf(head: Uint8Array, declared: DecodeOptions['declared']): string {
  return bomEncoding(head) ?? unmarkedUtf16(head) ?? declared?.(head) ?? 'utf-8';
}

/** The part of a chunk before the first bytes that are no text. */
function soundStart(chunk: Uint8Array, encoding: string): string {
  const loose = new TextDecoder(encoding).decode(chunk);
  return loose.slice(0, Math.max(0, loose.indexOf('\ufffd')));
}

function isAscii(text: string): boolean {
  // A byte-order mark is dropped by the decoder and so never seen here.
  return !/[^\0-\x7f]/.test(text);
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

function encodingFault(encoding: string, name: string, cause?: unknown): FormatError {
  return new FormatError(
    'IMPORT_ENCODING',
    `${name} holds bytes that are not ${encoding.toUpperCase()} text.`,
    'Save the file as UTF-8 (in Excel: "CSV UTF-8") and import it again.',
    cause,
  );
}
