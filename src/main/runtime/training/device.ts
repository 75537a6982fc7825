import type { TrainingConfig } from '../../../shared/domain/index.ts';
import type { ProviderName } from '../providers.ts';

/** `steps`: every step is run by itself, with parameters in main memory. `loop`: many steps in one run. */
export type PassName = 'steps' | 'loop';

export interface DeviceTraining {
  readonly pass: PassName;
  /** Whether matrix products in half precision gain anything. */
  readonly mixed: boolean;
}

/**
 * How a provider trains. Only tensors of main memory cross the border of a run: on a GPU the state stays on the
 * device as long as the run lasts. The CPU is quicker step by step, and has no half precision of its own.
 */
export const DEVICE_TRAINING: Readonly<Record<ProviderName, DeviceTraining>> = {
  cpu: { pass: 'steps', mixed: false },
  cuda: { pass: 'loop', mixed: true },
  dml: { pass: 'loop', mixed: true },
  webgpu: { pass: 'steps', mixed: false },
};

/** The precision that a run computes in: the one asked for where it gains something, or float32. */
export function precisionOn(
  asked: TrainingConfig['precision'],
  { pass, mixed }: DeviceTraining,
): TrainingConfig['precision'] {
  return pass === 'loop' && mixed ? asked : 'f32';
}

/** For tests and benchmarks: `ENGRAM_TRAINING_PASS=loop` takes the way of a GPU on every provider. */
export function forcedDevice(asked: string | undefined): { readonly device?: DeviceTraining } {
  return asked === 'loop' ? { device: { pass: 'loop', mixed: false } } : {};
}
