import { describe, expect, it } from 'vitest';
import { adamwScalars, clipScale, DECAYED } from '../../../../../src/main/engine/nn/adamw.ts';
import { learningRate } from '../../../../../src/main/engine/nn/schedule.ts';
import { TRAINING_PRESETS } from '../../../../../src/shared/domain/index.ts';

const config = { ...TRAINING_PRESETS.quick, learningRate: 2, warmupSteps: 4 };
const rates = (schedule: typeof config.schedule, total: number, warmupSteps = 4): number[] =>
  Array.from({ length: total }, (_, step) => learningRate({ ...config, schedule, warmupSteps }, step, total));

describe('learning rate', () => {
  it('rises from 0 and falls to 0 as get_linear_schedule_with_warmup does', () => {
    expect(rates('linear-decay', 8)).toEqual([0, 0.5, 1, 1.5, 2, 1.5, 1, 0.5]);
  });
  it('stays at its height after the warm-up when it is constant', () => {
    expect(rates('constant-after-warmup', 7)).toEqual([0, 0.5, 1, 1.5, 2, 2, 2]);
  });
  it('starts at its height without a warm-up', () => {
    expect(rates('linear-decay', 4, 0)).toEqual([2, 1.5, 1, 0.5]);
  });
  it('never leaves the warm-up when that is longer than the run', () => {
    expect(Math.max(...rates('linear-decay', 3, 500))).toBeCloseTo((2 * 2) / 500, 12);
  });
});

describe('AdamW', () => {
  it('corrects both moments for their start at zero', () => {
    const { keep, step, root } = adamwScalars({ beta1: 0.9, beta2: 0.99, epsilon: 1e-8 }, 1, 0.1, 0.5);
    expect(keep).toBeCloseTo(0.95, 12);
    expect(step).toBeCloseTo(1, 12);
    expect(root).toBeCloseTo(10, 10);
  });
  it('clips to the ceiling, never amplifies, and leaves all alone at 0', () => {
    expect(clipScale(4, 1)).toBeCloseTo(0.25, 6);
    expect(clipScale(0.5, 1)).toBe(1);
    expect(clipScale(1e9, 0)).toBe(1);
  });
  it('decays matrices and embeddings only, or everything', () => {
    const of = (decay: keyof typeof DECAYED) => [[5, 3], [5]].map((shape) => DECAYED[decay](shape));
    expect(of('matrices')).toEqual([true, false]);
    expect(of('all')).toEqual([true, true]);
  });
});
