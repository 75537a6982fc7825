import type { TrainingConfig } from '../../../shared/domain/index.ts';

/** Share of the full learning rate at an optimiser step counted from 0. */
type Schedule = (step: number, warmup: number, total: number) => number;

const warming = (step: number, warmup: number): number => step / Math.max(1, warmup);

/** One entry per schedule; the first step's rate is 0 whenever there is a warm-up, as in transformers. */
const SCHEDULES: Readonly<Record<TrainingConfig['schedule'], Schedule>> = {
  /** transformers' `get_linear_schedule_with_warmup`: up over the warm-up, down to 0 at the last step. */
  'linear-decay': (step, warmup, total) =>
    step < warmup ? warming(step, warmup) : Math.max(0, (total - step) / Math.max(1, total - warmup)),
  /** transformers' `get_constant_schedule_with_warmup`. */
  'constant-after-warmup': (step, warmup) => (step < warmup ? warming(step, warmup) : 1),
};

/** Learning rate of optimiser step `step` (from 0) of `total`. */
export function learningRate(config: TrainingConfig, step: number, total: number): number {
  return config.learningRate * SCHEDULES[config.schedule](step, config.warmupSteps, total);
}
