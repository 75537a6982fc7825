import { standsAt } from './window.ts';

/** Names in ASCII, those that begin with a letter, `_` or `:` apart. */
const NAME_START = 1;
const NAME_PART = 2;
const BEYOND_ASCII = 4;

/** What a byte is in a name, as bits. */
const IN_NAMES = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte > 0x7f) return NAME_START | NAME_PART | BEYOND_ASCII;
  const character = String.fromCharCode(byte);
  if (/[A-Za-z_:]/.test(character)) return NAME_START | NAME_PART;
  return /[-.0-9]/.test(character) ? NAME_PART : 0;
});

const STARTS = String.raw`:A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\u{10000}-\u{EFFFF}`;
// The ranges of production 4a, combining marks among them, as XML lists them.
const NAME = new RegExp(
  // eslint-disable-next-line no-misleading-character-class
  String.raw`^[${STARTS}][${STARTS}\-.0-9\u00B7\u0300-\u036F\u203F\u2040]*$`,
  'u',
);

/** The place after the bytes that may be a name at `from`; `from` itself where none begins. */
export function nameEnd(bytes: Uint8Array, length: number, from: number): number {
  if (from >= length || ((IN_NAMES[bytes[from] ?? 0] ?? 0) & NAME_START) === 0) return from;
  let at = from + 1;
  while (at < length && ((IN_NAMES[bytes[at] ?? 0] ?? 0) & NAME_PART) !== 0) at += 1;
  return at;
}

/** A power of two. */
const KEPT = 512;

export interface XmlName {
  readonly name: string;
  /** The same in UTF-8. */
  readonly bytes: Uint8Array;
}

/** Names met before, so that each is one string, which is compared with others by its address. */
export class Names {
  readonly #kept: (XmlName | undefined)[] = Array.from({ length: KEPT });

  /** The name that these bytes of UTF-8 are; null where they are none. */
  find(bytes: Buffer, start: number, end: number): XmlName | null {
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 9)) & (KEPT - 1);
    const known = this.#kept[slot];
    if (known?.bytes.length === end - start && standsAt(bytes, end, start, known.bytes)) return known;
    const name = bytes.toString('utf8', start, end);
    if (!NAME.test(name)) return null;
    const internal = Object.keys({ [name]: true })[0] ?? name;
    const found = { name: internal, bytes: Uint8Array.from(bytes.subarray(start, end)) };
    this.#kept[slot] = found;
    return found;
  }
}
