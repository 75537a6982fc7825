import { describe, expect, it } from 'vitest';
import { Graph } from '../../../src/main/engine/graph/index.ts';
import { seededMask } from '../../../src/main/engine/nn/seededMask.ts';
import { i64, SessionFactory } from '../../../src/main/runtime/sessions.ts';
import { dropoutMask, maskState, type MaskKey } from '../../../src/main/runtime/training/masks.ts';

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });

const KEYS: readonly MaskKey[] = [
  { seed: 0, step: 0, batch: 0, site: 0 },
  { seed: 42, step: 7, batch: 1, site: 3 },
  { seed: 42, step: 8, batch: 1, site: 3 },
  // Whole numbers beyond 31 bits wrap around alike.
  { seed: 4_294_967_295, step: 120_000, batch: 31, site: 36 },
];

/** The mask as a graph computes it from the key's state. */
async function computed(
  keys: readonly MaskKey[],
  shape: readonly number[],
  p: number,
): Promise<Uint8Array[]> {
  const g = new Graph('mask');
  g.output('mask', seededMask(g, g.input('state', 'int64', []), shape, p));
  const session = await sessions.open(g);
  const masks: Uint8Array[] = [];
  for (const key of keys) {
    const { mask } = await session.run({ state: i64([maskState(key)], []) });
    expect(mask?.dims).toEqual(shape);
    masks.push(Uint8Array.from(mask?.data as Uint8Array)); // a bool output is one byte an element
  }
  await session.close();
  return masks;
}

describe('a mask computed by a graph', () => {
  it.each([
    { shape: [2, 3, 5, 5], p: 0.1 },
    { shape: [7, 33], p: 0.5 },
    { shape: [4, 4096], p: 0.9 },
    { shape: [3], p: 1 / 65_536 },
    { shape: [64, 2], p: 0 },
  ])('is the one computed without, bit for bit: $shape, $p', async ({ shape, p }) => {
    const size = shape.reduce((n, s) => n * s, 1);
    const masks = await computed(KEYS, shape, p);
    masks.forEach((mask, i) => {
      const key = KEYS[i];
      if (key === undefined) throw new Error('a key for every mask');
      expect(Buffer.compare(mask, dropoutMask(key, size, p))).toBe(0);
    });
  });

  it('differs between steps, batches and places', async () => {
    const base = { seed: 1, step: 1, batch: 1, site: 1 };
    const keys = [
      base,
      ...(['seed', 'step', 'batch', 'site'] as const).map((part) => ({ ...base, [part]: 2 })),
    ];
    const masks = await computed(keys, [64, 64], 0.5);
    expect(new Set(masks.map((mask) => Buffer.from(mask).toString('hex'))).size).toBe(keys.length);
  });
});
