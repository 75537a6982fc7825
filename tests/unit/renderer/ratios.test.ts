import { expect, test } from 'vitest';
import { definedRatios, nearZeroGap } from '../../../src/renderer/features/sweeps/ratios.ts';
import { SweepGrid } from '../../../src/shared/domain/index.ts';

const grid = (metric: string, meanClean: number): SweepGrid =>
  SweepGrid.parse({
    sweepId: 1,
    hook: 'blocks.{layer}.attn.hook_z',
    metric,
    axes: 'layer_head',
    layers: 1,
    columns: 2,
    columnLabels: ['0', '1'],
    pairsDone: 3,
    pairsTotal: 3,
    recovery: [40, -7],
    raw: [0.5, 0.1],
    low: [1, -9],
    high: [80, 2],
    state: ['open', 'open'],
    detected: [true, false],
    meanClean,
    meanCorrupted: 0.1,
    direction: 'denoising',
  });

test('ratios are undefined where the baselines hardly differ; raw metrics stay', () => {
  const near = grid('logit_diff', 0.12);
  expect(nearZeroGap(near)).toBeCloseTo(0.02, 10);
  expect(definedRatios(near)).toMatchObject({
    recovery: [null, null],
    low: [null, null],
    detected: [false, false],
    raw: [0.5, 0.1],
  });
});

test('a clear gap, and metrics without such a scale, are left alone', () => {
  for (const sound of [grid('logit_diff', 2), grid('prob', 0.12)]) {
    expect(nearZeroGap(sound)).toBeNull();
    expect(definedRatios(sound)).toBe(sound);
  }
});
