import { dropLimit, MASK_HASH } from '../../engine/nn/seededMask.ts';

/** A well-mixed 32-bit value of a 32-bit counter (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), MASK_HASH.first);
  h = Math.imul(h ^ (h >>> 13), MASK_HASH.second);
  return h ^ (h >>> 16);
}

/** What a mask depends on; nothing else does, so that a resumed run draws the same. */
export interface MaskKey {
  readonly seed: number;
  readonly step: number;
  readonly batch: number;
  readonly site: number;
}

/** Everything that a mask depends on, in 32 bits (as a signed number). */
export function maskState({ seed, step, batch, site }: MaskKey): number {
  let state = 0x9e3779b9;
  for (const part of [seed, step, batch, site]) state = mix(Math.imul(state, 31) + part) | 0;
  return state;
}

/**
 * A dropout mask: 1 keeps, 0 drops with probability `p` (in steps of 1/65,536). Counter-based: element i is a
 * function of the key and i. `seededMask` is the same as a graph.
 */
export function dropoutMask(key: MaskKey, size: number, p: number): Uint8Array {
  const limit = dropLimit(p);
  const state = maskState(key);
  const mask = new Uint8Array(size);
  for (let i = 0; i < size; i += 2) {
    const h = mix((Math.imul(i, MASK_HASH.step) + state) | 0);
    mask[i] = h >>> 16 >= limit ? 1 : 0;
    if (i + 1 < size) mask[i + 1] = (h & 0xffff) >= limit ? 1 : 0;
  }
  return mask;
}
