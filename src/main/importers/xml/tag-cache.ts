import type { XmlTag } from './tag.ts';

/** Longer tags are read anew each time. */
const CACHED_TAG_CHARS = 160;
/** A power of two. */
const CACHED_TAGS = 8192;

/** Opening tags read before, told by their whole text: PubMed writes a few hundred different ones. */
export class TagCache {
  /** `text` is what follows the `<`, with the `>`. */
  readonly #slots: ({ readonly text: string; readonly tag: XmlTag } | undefined)[] = Array.from({
    length: CACHED_TAGS,
  });

  /** What was last read anew in each slot: a tag is kept when it comes again, so that ones with identifiers are not. */
  readonly #sights = new Int32Array(CACHED_TAGS);

  /** The tag from `<` at `open` to `>` at `close`, or null. */
  find(text: string, open: number, close: number): XmlTag | null {
    const known = this.#slots[slotOf(text, open, close)];
    const same = known?.text.length === close - open && text.startsWith(known.text, open + 1);
    return same ? known.tag : null;
  }

  keep(text: string, open: number, close: number, tag: XmlTag): void {
    if (close - open > CACHED_TAG_CHARS) return;
    const slot = slotOf(text, open, close);
    const sight = sightOf(text, open, close);
    if (this.#sights[slot] !== sight) {
      this.#sights[slot] = sight;
      return;
    }
    this.#slots[slot] = { text: copyOf(text.slice(open + 1, close + 1)), tag };
  }
}

/** A hash of the whole tag. */
function sightOf(text: string, open: number, close: number): number {
  let hash = close - open;
  for (let at = open + 1; at < close; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}

/** Where a tag is kept: a hash of its length and six of its characters. */
function slotOf(text: string, open: number, close: number): number {
  const length = close - open;
  const middle = open + (length >> 1);
  const hash =
    length * 0x9e3b +
    text.charCodeAt(open + 1) * 0x1f35 +
    text.charCodeAt(open + 4) * 0x0d4d +
    text.charCodeAt(middle - 1) * 0x2d51 +
    text.charCodeAt(middle) * 0x3779 +
    text.charCodeAt(middle + 1) * 0x1bd3 +
    text.charCodeAt(close - 2) * 0x29f1;
  return (hash ^ (hash >> 9)) & (CACHED_TAGS - 1);
}

/** The same text with memory of its own: a slice keeps the whole chunk it is cut from. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
