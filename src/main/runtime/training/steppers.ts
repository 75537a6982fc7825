import type { ModelConfig } from '../../../shared/domain/index.ts';
import { LOSS_SCALE } from '../../engine/nn/lossScale.ts';
import type { MemoryMode } from '../../engine/nn/trainingCost.ts';
import type { SessionFactory } from '../sessions.ts';
import { hidesPadding } from './batches.ts';
import type { LoopState } from './checkpoints.ts';
import { precisionOn, type DeviceTraining } from './device.ts';
import { GradientRunner } from './gradients.ts';
import { LoopStepper } from './loopStepper.ts';
import { AdamW } from './optimizer.ts';
import { SingleStepper, TrafficMeter, type StepPlan, type Stepper } from './stepper.ts';

export interface StepperOptions {
  readonly sessions: SessionFactory;
  readonly memoryLimitBytes: number;
  readonly model: ModelConfig;
  readonly mode: MemoryMode;
  readonly device: DeviceTraining;
  /** What the run's loop left; undefined where it has none, or has not begun. */
  readonly carried: LoopState | undefined;
  /** Whether the run has taken steps: then it keeps its way, because another one rounds differently. */
  readonly begun: boolean;
}

/** The stepper for a run: many steps at once where the provider gains from it and the whole graph fits. */
export async function openStepper(plan: StepPlan, options: StepperOptions): Promise<Stepper> {
  const { sessions, memoryLimitBytes, model, mode, device, carried, begun } = options;
  const { training, store, rules } = plan;
  const hidePadding = hidesPadding(rules);
  const looping = !begun && device.pass === 'loop' && mode === 'whole';
  const loop = carried ?? (looping ? freshLoop(precisionOn(training.precision, device)) : null);
  if (loop !== null) return LoopStepper.open(sessions, plan, { model, hidePadding }, loop);
  const gradients = new GradientRunner(sessions, store, {
    config: model,
    dropout: training.dropout,
    seed: training.seed,
    memoryLimitBytes,
    mode,
    hidePadding,
  });
  return new SingleStepper(plan, gradients, await AdamW.open(sessions, training), new TrafficMeter(sessions));
}

const freshLoop = (precision: LoopState['precision']): LoopState => {
  return { precision, scale: LOSS_SCALE.first, clean: 0, skipped: 0 };
};
