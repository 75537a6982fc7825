import { z } from 'zod';
import { TrainingConfig, type TrainingRun } from '../../shared/domain/index.ts';
import type { TrainDone } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';

/** How a run was computed, as far as its configuration does not say. */
const Computed = z.object({
  pass: z.enum(['steps', 'loop']),
  precision: TrainingConfig.shape.precision,
  skippedSteps: z.number(),
  bytesPerStep: z.number().nullable(),
});

const key = ({ id }: Pick<TrainingRun, 'id'>): string => `train-${id}-computed`;

/** Keeps how a run was computed, and says it in one line for the log; null where there is nothing to say. */
export function recordComputed(study: Study, run: TrainingRun, done: TrainDone): string | null {
  const { pass, precision, skippedSteps, bytesPerStep } = done;
  study.settings.set(key(run), { pass, precision, skippedSteps, bytesPerStep });
  const said = [
    ...(bytesPerStep === null
      ? []
      : [`Many steps in one run: ${(bytesPerStep / 2 ** 20).toFixed(2)} MiB moved for each step`]),
    ...(precision === run.config.precision ? [] : ['half precision was asked for, 32-bit floats were used']),
    ...(skippedSteps === 0 ? [] : [`${skippedSteps} steps skipped because the loss scale was too large`]),
  ];
  return said.length === 0 ? null : `${said.join('; ')}.`;
}

/** The precision of a run in words: what it was computed in, and what was asked for where that differs. */
export function precisionWords(study: Study, run: TrainingRun): string {
  const asked = run.config.precision;
  const used = study.settings.get(key(run), Computed)?.precision ?? asked;
  return used === asked ? asked : `${used} (${asked} was asked for)`;
}
