import type { TrainingConfig } from '../../../shared/domain/index.ts';

/** Share of the full learning rate at an optimiser step counted from 0. */
type Schedule = (step: number, warmup: number, total: number) => number;

const warming = (step: number, warmup: number): number => step / Math.max(1, warmup);

/** Where a warm-up begins: how far the steps' count is moved. */
const FIRST: Readonly<Record<TrainingConfig['firstRate'], number>> = {
  /** transformers: the first step's rate is 0 whenever there is a warm-up. */
  zero: 0,
  /** The first step already takes one step's share. */
  'one-step': 1,
};

/** One entry per schedule. */
const SCHEDULES: Readonly<Record<TrainingConfig['schedule'], Schedule>> = {
  /** transformers' `get_linear_schedule_with_warmup`: up over the warm-up, down to 0 at the last step. */
  'linear-decay': (step, warmup, total) =>
    step < warmup ? warming(step, warmup) : Math.max(0, (total - step) / Math.max(1, total - warmup)),
  /** transformers' `get_constant_schedule_with_warmup`. */
  'constant-after-warmup': (step, warmup) => (step < warmup ? warming(step, warmup) : 1),
};

/** Learning rate of optimiser step `step` (from 0) of `total`. */
export function learningRate(config: TrainingConfig, step: number, total: number): number {
  const counted = step < config.warmupSteps ? step + FIRST[config.firstRate] : step;
  return config.learningRate * SCHEDULES[config.schedule](counted, config.warmupSteps, total);
}
