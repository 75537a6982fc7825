import type { XmlTag } from './tag.ts';
import { standsAt } from './window.ts';

/** Longer tags are read anew each time. */
const CACHED_TAG_BYTES = 160;
/** A power of two. */
const CACHED_TAGS = 1024;
const GREATER_THAN = 0x3e;

/** A tag by its bytes, from `<` to `>`. */
export interface CachedTag {
  readonly bytes: Uint8Array;
  readonly tag: XmlTag;
  /** The cached tag that opened next after this one, the last time. */
  next: CachedTag | null;
}

/** Opening tags read before, told by all their bytes: PubMed writes a few hundred different ones. */
export class TagCache {
  readonly #slots: (CachedTag | undefined)[] = Array.from({ length: CACHED_TAGS });
  /** What was last read anew in each slot: a tag is kept when it comes again, so that ones with identifiers are not. */
  readonly #sights = new Int32Array(CACHED_TAGS);
  #last: CachedTag | null = null;
  #hash = 0;
  #close = -1;

  /** Of the last `find`: the place of the first `>`; -1 where there is none. */
  get close(): number {
    return this.#close;
  }

  /** The tag at `open`, where it came before. */
  find(bytes: Uint8Array, length: number, open: number): CachedTag | null {
    const expected = this.#last?.next ?? null;
    if (expected !== null && standsAt(bytes, length, open, expected.bytes)) {
      this.#last = expected;
      return expected;
    }
    let hash = 0;
    let at = open + 1;
    for (; at < length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === GREATER_THAN) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.#close = at < length ? at : -1;
    this.#hash = hash;
    const known = at < length ? this.#slots[slotOf(hash)] : undefined;
    const found = known?.bytes.length === at + 1 - open && standsAt(bytes, length, open, known.bytes);
    if (this.#last !== null && found) this.#last.next = known;
    this.#last = found ? known : null;
    return this.#last;
  }

  /** Keeps the tag that the last `find` did not know, where it is not new. */
  keep(bytes: Uint8Array, open: number, tag: XmlTag): void {
    const end = this.#close + 1;
    if (end - open > CACHED_TAG_BYTES) return;
    const slot = slotOf(this.#hash);
    if (this.#slots[slot] !== undefined) return;
    if (this.#sights[slot] === this.#hash) {
      this.#slots[slot] = { bytes: Uint8Array.from(bytes.subarray(open, end)), tag, next: null };
    }
    this.#sights[slot] = this.#hash;
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 13)) & (CACHED_TAGS - 1);
}
