import { fold } from './fold.ts';

/** Words that make one shingle. */
const SHINGLE = 5;
/** Shared shingles in the prefixes of two texts before they are compared whole. */
const EVIDENCE = 6;

/** Two texts of which one is nearly a copy of the other. */
export interface NearCopy {
  readonly held: number;
  readonly other: number;
  /** Jaccard similarity of their sets of five-word shingles: shared shingles over all of them, 0 to 1. */
  readonly similarity: number;
}

/**
 * Finds near-copies between a set of held texts and other texts, exactly: every pair whose Jaccard similarity
 * is at least the threshold, without comparing each with each. By the prefix filter of set-similarity joins
 * (Chaudhuri et al. 2006; Xiao et al. 2011): shingles in one fixed order, two sets that overlap in at least α
 * must share l of their first |x| − α + l.
 *
 * First `hold` every held text, then `find` the near-copies of each other text.
 */
export class NearCopies {
  readonly threshold: number;
  readonly #ids: number[] = [];
  readonly #sets: Uint32Array[] = [];
  readonly #postings = new Map<number, number[]>();
  #shared = new Uint16Array(0);

  constructor(threshold = 0.7) {
    this.threshold = threshold;
  }

  hold(id: number, text: string): void {
    const set = shingles(text);
    const index = this.#sets.push(set) - 1;
    this.#ids.push(id);
    for (const shingle of this.#prefix(set)) {
      const list = this.#postings.get(shingle);
      if (list === undefined) this.#postings.set(shingle, [index]);
      else list.push(index);
    }
  }

  /** The held texts that another text nearly copies. */
  find(other: number, text: string): NearCopy[] {
    if (this.#shared.length < this.#sets.length) this.#shared = new Uint16Array(this.#sets.length);
    const set = shingles(text);
    const needed = Math.min(EVIDENCE, this.#overlap(set));
    const seen: number[] = [];
    for (const shingle of this.#prefix(set)) {
      for (const index of this.#postings.get(shingle) ?? []) {
        const before = this.#shared[index] ?? 0;
        if (before === 0) seen.push(index);
        this.#shared[index] = before + 1;
      }
    }
    const found: NearCopy[] = [];
    for (const index of seen) {
      if ((this.#shared[index] ?? 0) >= needed) {
        const similarity = jaccard(set, this.#sets[index] ?? new Uint32Array());
        if (similarity >= this.threshold) found.push({ held: this.#ids[index] ?? 0, other, similarity });
      }
      this.#shared[index] = 0;
    }
    return found;
  }

  /** The least overlap of a set with any that is similar enough. */
  #overlap(set: Uint32Array): number {
    return Math.ceil(this.threshold * set.length);
  }

  #prefix(set: Uint32Array): Uint32Array {
    return set.subarray(0, Math.max(0, set.length - this.#overlap(set) + EVIDENCE));
  }
}

/**
 * The distinct shingles of a text as 32-bit hashes (FNV-1a) in ascending order: five words in a row, letters
 * and digits only, case and accents left aside. A text of fewer words is one shingle; one without, none.
 */
export function shingles(text: string): Uint32Array {
  const words = fold(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return new Uint32Array();
  const hashes = new Set<number>();
  const last = Math.max(0, words.length - SHINGLE);
  for (let start = 0; start <= last; start++) {
    let hash = 0x811c9dc5;
    for (const word of words.slice(start, start + SHINGLE)) {
      for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
      hash = Math.imul(hash ^ 0x20, 0x01000193);
    }
    hashes.add(hash >>> 0);
  }
  return Uint32Array.from(hashes).sort();
}

function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [i, j, both] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x === y) both++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const all = a.length + b.length - both;
  return all === 0 ? 0 : both / all;
}
