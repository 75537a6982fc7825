/** What a run of bytes between two tags holds, one bit a kind; a run's kinds are those of its bytes together. */
export const ORDINARY = 1;
export const SPACE = 2;
/** Tab or line end. */
export const BREAK = 4;
/** Part of a character beyond ASCII. */
export const BEYOND = 8;
export const AMPERSAND = 16;
export const BRACKET = 32;
/** What may be no character of XML: control characters, and the byte with which U+FFFE and U+FFFF begin. */
export const DOUBTFUL = 64;

const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x20) return SPACE;
  if (byte === 0x09 || byte === 0x0a) return BREAK;
  if (byte < 0x20) return DOUBTFUL;
  if (byte === 0x26) return AMPERSAND;
  if (byte === 0x5d) return BRACKET;
  if (byte === 0xef) return BEYOND | DOUBTFUL;
  return byte > 0x7f ? BEYOND : ORDINARY;
});

/** What a byte is, as one of these bits or two. */
export function kindOf(byte: number): number {
  return KINDS[byte] ?? 0;
}

/** What production 2 of XML 1.0 leaves out, in bytes of UTF-8; halves of surrogate pairs are not UTF-8. */
const UNLAWFUL = new RegExp(String.raw`[\0-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]`);
const LESS_THAN = 0x3c;
const FIRST_CAPACITY = 320 * 1024;

/**
 * The part of a document that is being read: bytes of UTF-8, and the same bytes as one character each, for the
 * engine's own search. Places are bytes from the start of the part.
 */
export class XmlWindow {
  bytes = Buffer.alloc(0);
  /** The bytes, a character each. */
  text = '';
  /** How many there are. */
  length = 0;
  /** Bytes of the document before the part. */
  before = 0;
  /** Of the last run: what it holds. */
  kinds = 0;
  /** Of the last run: whether two spaces follow one another in it. */
  spaced = false;
  #storage = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  /** Where in the storage the part begins, and where what came ends. */
  #start = 0;
  #filled = 0;

  /** Bytes that came, those of the document before the part included. */
  get received(): number {
    return this.before + this.#filled - this.#start;
  }

  /** Bytes that came after the part. */
  get waiting(): number {
    return this.#filled - this.#start - this.length;
  }

  /** Takes bytes, to be shown later. */
  add(chunk: Uint8Array): void {
    const held = this.#filled - this.#start;
    if (this.#filled + chunk.length > this.#storage.length) {
      const needed = held + chunk.length;
      const fits = needed <= this.#storage.length;
      const to = fits ? this.#storage : Buffer.allocUnsafeSlow(Math.max(needed, this.#storage.length * 2));
      to.set(this.#storage.subarray(this.#start, this.#filled));
      this.#storage = to;
      this.#start = 0;
      this.#filled = held;
      this.bytes = to.subarray(0, this.length);
    }
    this.#storage.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  /** Lets go of what is before `from`, and adds up to `more` of the bytes that wait. */
  show(from: number, more: number): void {
    const end = this.#start + this.length + Math.min(more, this.waiting);
    this.#start += from;
    this.before += from;
    this.length = end - this.#start;
    this.bytes = this.#storage.subarray(this.#start, end);
    this.text = this.bytes.toString('latin1');
  }

  /** The place of the next `<` at or after `from`, or -1; and the kinds of what is between. */
  runEnd(from: number): number {
    const { bytes, length } = this;
    let kinds = 0;
    let pairs = 0;
    let last = 0;
    for (let at = from; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LESS_THAN) {
        this.kinds = kinds;
        this.spaced = (pairs & SPACE) !== 0;
        return at;
      }
      const kind = KINDS[byte] ?? 0;
      pairs |= kind & last;
      kinds |= kind;
      last = kind;
    }
    return -1;
  }

  /** The text of some of the bytes. */
  slice(start: number, end: number): string {
    return this.bytes.toString('utf8', start, end);
  }

  /** The place of the first character that XML does not have, or -1; and its name, e.g. `U+0001`. */
  unlawful(start: number, end: number): { readonly place: number; readonly name: string } | null {
    const found = UNLAWFUL.exec(this.text.slice(start, end));
    if (found === null) return null;
    const code = this.slice(start + found.index, start + found.index + found[0].length).charCodeAt(0);
    return {
      place: start + found.index,
      name: `U+${code.toString(16).toUpperCase().padStart(4, '0')}`,
    };
  }
}

/** Whether these bytes stand at a place. */
export function standsAt(bytes: Uint8Array, length: number, at: number, wanted: Uint8Array): boolean {
  const size = wanted.length;
  if (at + size > length) return false;
  for (let i = 0; i < size; i += 1) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
