/**
 * Byte-level BPE writes every byte as one visible character (Radford et al. 2019): printable Latin-1 as
 * itself, the other bytes as the characters from U+0100 on, in order.
 */
const printable = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

export const BYTE_TO_CHAR: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(BYTE_TO_CHAR.map((char, byte) => [char, byte]));

/**
 * GPT-2's pre-tokenisation: contractions, letters, numbers, the rest, each with one leading space; white
 * space. `\s` is spelt out because JavaScript's counts U+FEFF and not U+0085, contrary to the original.
 */
const SPACE = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const NOT_SPACE = SPACE.replace('[', '[^');
const OTHER = SPACE.replace('[', '[^\\p{L}\\p{N}');
export const GPT2_WORDS = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?${OTHER}+|${SPACE}+(?!${NOT_SPACE})|${SPACE}+`,
  'gu',
);

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text as byte-level characters: ` the` → `Ġthe`. */
export function toByteLevel(text: string): string {
  let out = '';
  for (const byte of encoder.encode(text)) out += BYTE_TO_CHAR[byte] ?? '';
  return out;
}

/**
 * Byte-level characters as text: `Ġthe` → ` the`. Bytes that are no character are shown as `⟨E2⟩`;
 * characters outside the byte alphabet stand for themselves.
 */
export function fromByteLevel(token: string): string {
  const bytes: number[] = [];
  let out = '';
  const flush = (): void => {
    out += showBytes(bytes);
    bytes.length = 0;
  };
  for (const char of token) {
    const byte = CHAR_TO_BYTE.get(char);
    if (byte === undefined) {
      flush();
      out += char;
    } else bytes.push(byte);
  }
  flush();
  return out;
}

/** Longest valid character at each place, else one byte as `⟨E2⟩`. */
function showBytes(bytes: readonly number[]): string {
  let out = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] ?? 0);
    const char = length === 0 ? null : decodeStrictly(bytes.slice(at, at + length), length);
    if (char === null) out += `⟨${(bytes[at++] ?? 0).toString(16).toUpperCase().padStart(2, '0')}⟩`;
    else {
      out += char;
      at += length;
    }
  }
  return out;
}

/** Bytes of the UTF-8 sequence that starts with this byte; 0 for a continuation or an invalid start. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

function decodeStrictly(bytes: readonly number[], length: number): string | null {
  if (bytes.length < length) return null;
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}
