import { expect, test } from 'vitest';
import type { NewBlock } from '../../../src/main/store/index.ts';
import { tempStudy } from '../../support/store.ts';

function sweepIn(study: ReturnType<typeof tempStudy>) {
  return study.sweeps.insert({
    name: 'S',
    spec: {
      modelId: 1 as never,
      pairSetId: 1 as never,
      grids: [{ hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' }],
      direction: 'noising',
      method: 'exact',
      corruption: 'str',
      metrics: ['logit_diff', 'prob'],
      epsilon: 1e-6,
      bos: 'auto',
      seed: 42,
    },
    plan: null,
    warnings: [],
    inputs: [
      {
        id: 'p',
        item: 'p',
        type: null,
        clean: [1, 2],
        corrupted: [1, 3],
        answer: [4],
        wrong: [5],
        read: 1,
        labels: ['a', 'b'],
      },
    ],
  }).id;
}

const block = (pair: number, offset = 0): NewBlock => ({
  grid: 0,
  pair,
  shape: [3, 3],
  raw: [
    Float64Array.from({ length: 9 }, (_, i) => (i === 4 ? Number.NaN : Math.PI * i + offset)),
    Float64Array.from({ length: 9 }, (_, i) => 1e-300 * i),
  ],
  clean: [2.5, 0.1],
  corrupted: [Number.NaN, -0.1],
  zero: Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, 1]),
  trivial: Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 0, 0]),
});

test('blocks come back bit for bit, one metric at a time, in the order of the pairs', () => {
  const study = tempStudy();
  const id = sweepIn(study);
  study.blocks.store(id, block(2));
  study.blocks.store(id, block(0));
  const [first, second] = study.blocks.read(id, 0, 0);
  expect([first!.pair, second!.pair]).toEqual([0, 2]);
  expect(first!.shape).toEqual([3, 3]);
  expect(first!.raw).toEqual(block(0).raw[0]);
  expect(first!.clean).toBe(2.5);
  expect(first!.corrupted).toBeNaN();
  expect(first!.zero).toEqual(block(0).zero);
  expect(first!.trivial).toEqual(block(0).trivial);
  expect(study.blocks.read(id, 0, 1)[0]!.raw).toEqual(block(0).raw[1]);
  expect(study.blocks.read(id, 1, 0)).toEqual([]);
});

test('storing a block twice keeps one, the newer', () => {
  const study = tempStudy();
  const id = sweepIn(study);
  study.blocks.store(id, block(0));
  study.blocks.store(id, block(0, 1));
  expect(study.blocks.done(id)).toEqual(['0:0']);
  expect(study.blocks.count(id)).toBe(1);
  expect(study.blocks.read(id, 0, 0)[0]!.raw[0]).toBe(1);
});

test('a block whose parts disagree is our bug, and nothing of it is stored', () => {
  const study = tempStudy();
  const id = sweepIn(study);
  const wrong = { ...block(0), raw: [new Float64Array(9), new Float64Array(8)] };
  expect(() => study.blocks.store(id, wrong)).toThrow(expect.objectContaining({ kind: 'invariant' }));
  expect(study.blocks.done(id)).toEqual([]);
});
