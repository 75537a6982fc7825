import { describe, expect, it } from 'vitest';
import { Mt19937 } from '../../../../../src/main/engine/random/index.ts';
import {
  type MicroBatch,
  planEpochs,
  rowCountFor,
  splitStep,
  widthsFor,
} from '../../../../../src/main/runtime/training/batches.ts';
import { dropoutMask } from '../../../../../src/main/runtime/training/masks.ts';

const data = {
  count: 5,
  length: 40,
  lengths: Int32Array.of(3, 40, 17, 1, 20),
  ids: Int32Array.from({ length: 200 }, (_, i) => i),
};

const RULES = {
  paddingInLoss: false,
  paddingAttended: true,
  accumulationMean: 'tokens',
  batchSize: 2,
  maskedLabel: null,
} as const;
const weightOf = (batches: readonly MicroBatch[]): number =>
  batches.reduce((sum, b) => b.weights.reduce((s, w) => s + w, sum), 0);

describe('the order of training', () => {
  it('visits every sequence once an epoch, in the order of the seed and the epoch', () => {
    const plan = planEpochs(10, 4, 42);
    expect(plan.stepsPerEpoch).toBe(3);
    const epoch = (n: number): number[] => [0, 1, 2].flatMap((step) => [...plan.rows(n, step)]);
    expect(epoch(0)).toEqual([...new Mt19937(42).permutation(10)]);
    expect(epoch(1)).toEqual([...new Mt19937(43).permutation(10)]);
    expect(epoch(0)).toEqual([...new Mt19937(42).permutation(10)]);
    expect(plan.rows(0, 2).length).toBe(2);
  });
});

describe('batches of a step', () => {
  it('groups by length, cuts padding, and shifts labels', () => {
    const batches = splitStep(Int32Array.of(0, 1, 2, 3, 4), { data, rules: RULES, maxRows: 2 });
    expect(batches.map((b) => [b.rows, b.width, b.targets, b.tokens])).toEqual([
      [2, 40, 39 + 19, 60],
      [2, 32, 16 + 2, 20],
      [1, 16, 0, 1],
    ]);
    const [first, second] = batches;
    expect([...(first?.ids.subarray(0, 3) ?? [])]).toEqual([40, 41, 42]);
    expect([...(first?.labels.subarray(0, 3) ?? [])]).toEqual([41, 42, 43]);
    // Row of 17 tokens: 16 targets, the last token predicts nothing.
    const weight = Math.fround(1 / 76); // 39 + 19 + 16 + 2 targets
    expect([...(second?.weights.subarray(14, 18) ?? [])]).toEqual([weight, weight, 0, 0]);
    expect([...(second?.lengths ?? [])]).toEqual([17, 3]);
    expect([...(second?.labels.subarray(15, 18) ?? [])]).toEqual([96, 0, 0]);
    expect([...(second?.ids.subarray(17, 20) ?? [])]).toEqual([0, 0, 0]);
  });

  it('weighs by batches where the configuration does: each has the same share', () => {
    const rules = { ...RULES, accumulationMean: 'batches' } as const;
    // In the order of the step: rows 0 and 2 (2 + 16 targets), 1 and 4 (39 + 19), 3 alone (none).
    const batches = splitStep(Int32Array.of(0, 2, 1, 4, 3), { data, rules, maxRows: 8 });
    const weights = new Set(batches.flatMap((b) => [...b.weights]));
    expect(weights).toEqual(new Set([0, Math.fround(1 / (2 * 18)), Math.fround(1 / (2 * 58))]));
    expect(weightOf(batches)).toBeCloseTo(1, 6);
  });

  it('leaves a masked token out wherever it stands, and weighs by what is left', () => {
    const rules = { ...RULES, maskedLabel: 42 };
    const [batch] = splitStep(Int32Array.of(1), { data, rules, maxRows: 1 });
    expect(batch?.targets).toBe(38);
    expect(batch?.weights[1]).toBe(0);
    expect(batch?.labels.subarray(0, 4)).toEqual(Int32Array.of(41, 0, 43, 44));
    expect(batch?.ids[2]).toBe(42);
    expect(weightOf(batch === undefined ? [] : [batch])).toBeCloseTo(1, 6);
  });

  it('counts padding where the configuration does', () => {
    const [batch] = splitStep(Int32Array.of(0, 3), {
      data,
      rules: { ...RULES, paddingInLoss: true },
      maxRows: 2,
    });
    expect(batch).toMatchObject({ rows: 2, width: 40, targets: 78, tokens: 80 });
  });

  it('fills a short rest to half a batch, not a whole one', () => {
    expect([1, 2, 3, 4, 5, 8].map((n) => rowCountFor(n, 8))).toEqual([1, 2, 4, 4, 8, 8]);
    expect([1, 2, 3, 4, 5, 6].map((n) => rowCountFor(n, 6))).toEqual([1, 2, 3, 6, 6, 6]);
  });

  it('runs in few widths, the last the whole length', () => {
    expect(widthsFor(128)).toEqual([16, 32, 48, 64, 80, 96, 112, 128]);
    expect(widthsFor(40)).toEqual([16, 32, 40]);
    expect(widthsFor(512).length).toBe(8);
    expect(widthsFor(8)).toEqual([8]);
  });
});

describe('dropout masks', () => {
  const key = { seed: 42, step: 3, batch: 0, site: 1 };
  const size = 200_001;
  const share = (mask: Uint8Array): number => mask.reduce((s, v) => s + v, 0) / mask.length;

  it('drop the share asked for', () => {
    for (const p of [0.1, 0.5]) {
      // Five standard errors of a share of 200,001 draws.
      const error = 5 * Math.sqrt((p * (1 - p)) / size);
      expect(Math.abs(1 - share(dropoutMask(key, size, p)) - p)).toBeLessThan(error);
    }
  });

  it('repeat for one key and are unrelated for neighbouring ones', () => {
    const mask = dropoutMask(key, size, 0.5);
    expect(dropoutMask(key, size, 0.5)).toEqual(mask);
    for (const other of [
      { ...key, seed: 43 },
      { ...key, step: 4 },
      { ...key, batch: 1 },
      { ...key, site: 2 },
    ]) {
      const equal = dropoutMask(other, size, 0.5).reduce((s, v, i) => s + (v === mask[i] ? 1 : 0), 0);
      expect(Math.abs(equal / size - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / size));
    }
    const shifted = mask.subarray(1).reduce((s, v, i) => s + (v === mask[i] ? 1 : 0), 0);
    expect(Math.abs(shifted / (size - 1) - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / size));
  });
});
