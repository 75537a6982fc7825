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

const movedKey = (id: TrainingRun['id']): string => `train-${id}-moved`;
/** Changes of the bytes moved that are worth a write. */
const NOTEWORTHY = 0.01;

/** Keeps how many bytes a step of a run moves, where that has changed. */
export function recordMoved(study: Study, id: TrainingRun['id'], bytesPerStep: number): void {
  const before = bytesMoved(study, id);
  if (before !== null && Math.abs(bytesPerStep - before) <= NOTEWORTHY * before) return;
  study.settings.set(movedKey(id), bytesPerStep);
}

/** Bytes that a step of a run moved in and out of runs of graphs; null where none was taken. */
export function bytesMoved(study: Study, id: TrainingRun['id']): number | null {
  return study.settings.get(movedKey(id), z.number()) ?? null;
}

/** How steps are taken, in words. */
const PASS_WORDS: Readonly<Record<TrainDone['pass'], string>> = {
  steps: 'Step by step',
  loop: 'Many steps in one run',
};

/** Keeps how a run was computed, and says it in one line for the log. */
export function recordComputed(study: Study, run: TrainingRun, done: TrainDone): string {
  const { pass, precision, skippedSteps, bytesPerStep } = done;
  study.settings.set(key(run), { pass, precision, skippedSteps, bytesPerStep });
  recordMoved(study, run.id, bytesPerStep);
  const said = [
    `${PASS_WORDS[pass]}: ${(bytesPerStep / 2 ** 20).toFixed(2)} MB moved for each step`,
    ...(precision === run.config.precision ? [] : ['half precision was asked for, 32-bit floats were used']),
    ...(skippedSteps === 0 ? [] : [`${skippedSteps} steps skipped because the loss scale was too large`]),
  ];
  return `${said.join('; ')}.`;
}

/** The precision of a run in words: what it was computed in, and what was asked for where that differs. */
export function precisionWords(study: Study, run: TrainingRun): string {
  const asked = run.config.precision;
  const used = study.settings.get(key(run), Computed)?.precision ?? asked;
  return used === asked ? asked : `${used} (${asked} was asked for)`;
}
