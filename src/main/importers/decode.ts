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
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    decoder ??= newDecoder(bomEncoding(chunk) ?? unmarkedUtf16(chunk) ?? declared?.(chunk) ?? 'utf-8', name);
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch (error) {
      const before = soundStart(chunk, decoder.encoding);
      if (!singleByte || !ascii || decoder.encoding !== 'utf-8' || !isAscii(before)) {
        yield before;
        throw encodingFault(decoder.encoding, name, error);
      }
      note?.(`${name} is not UTF-8; it is read as Windows-1252.`);
      decoder = new TextDecoder('windows-1252');
      text = decoder.decode(chunk, { stream: true });
    }
    ascii &&= isAscii(text);
    if (text !== '') yield text;
  }
  try {
    const rest = decoder?.decode() ?? '';
    if (rest !== '') yield rest;
  } catch (error) {
    throw encodingFault(decoder?.encoding ?? 'utf-8', name, error);
  }
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

function encodingFault(encoding: string, name: string, cause: unknown): FormatError {
  return new FormatError(
    'IMPORT_ENCODING',
    `${name} holds bytes that are not ${encoding.toUpperCase()} text.`,
    'Save the file as UTF-8 (in Excel: "CSV UTF-8") and import it again.',
    cause,
  );
}
