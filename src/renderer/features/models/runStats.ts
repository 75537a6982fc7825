import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { EpochPoint, Job, StepPoint, TrainingRun } from '../../../shared/domain/index.ts';
import { bytes, count, duration, fixed } from '../../i18n/format.ts';
import { t } from '../../i18n/index.ts';
import { stopEpoch } from './lossChart.ts';
import type { RunSeries } from './run.svelte.ts';
import { isActiveRun } from './view.ts';

type Info = Awaited<ReturnType<EngramClient['app']['info']>>;

/** Last epoch worth showing now: past the early stop, or past what has been trained. */
export function nearRange(
  run: TrainingRun,
  steps: readonly StepPoint[],
  epochs: readonly EpochPoint[],
  live: boolean,
): number {
  const trained = Math.max(1, Math.ceil(steps.at(-1)?.epoch ?? epochs.at(-1)?.epoch ?? 1));
  if (!live) return trained;
  const stop = stopEpoch(run, epochs) ?? trained + run.config.patience;
  return Math.min(run.config.epochs, Math.max(5, Math.ceil((Math.max(stop, trained) * 1.5) / 5) * 5));
}

/** Epoch, step, best, elapsed, left and memory, for the strip above the curves. */
export function runStats(
  run: TrainingRun,
  series: Pick<RunSeries, 'steps' | 'epochs' | 'bytesPerStep'>,
  job: Job | undefined,
  info: Info | null,
  now: number,
) {
  const { stats } = t.models;
  const live = isActiveRun(run);
  const last = series.steps.at(-1);
  const step = Math.max(run.step, last?.step ?? 0);
  const best = series.epochs.findLast((point) => point.best);
  const bestLoss = best?.validationLoss ?? run.bestValidationLoss;
  const bestEpoch = best?.epoch ?? run.bestEpoch;
  const started = Date.parse(job?.startedAt ?? run.createdAt);
  const ended = job?.finishedAt ?? null;
  const elapsed =
    ended === null ? (live ? (now - started) / 1000 : null) : (Date.parse(ended) - started) / 1000;
  return [
    {
      label: stats.epoch,
      value: last === undefined ? fixed(0, 1) : fixed(last.epoch, 1),
      note: stats.of(count(run.config.epochs)),
    },
    { label: stats.step, value: count(step), note: stats.of(count(run.totalSteps)) },
    {
      label: stats.best,
      value: fixed(bestLoss, 3),
      ...(bestEpoch === null ? {} : { note: stats.atEpoch(bestEpoch) }),
    },
    { label: stats.elapsed, value: elapsed === null ? '–' : duration(Math.max(0, elapsed)) },
    ...(live ? [{ label: stats.left, value: timeLeft(run, series, job, step) }] : []),
    ...(live && info !== null
      ? [
          {
            label: stats.memory,
            value: bytes(info.usedBytes),
            note: stats.of(bytes(info.memoryBytes)),
            minor: true,
          },
        ]
      : []),
    {
      label: stats.moved,
      value: series.bytesPerStep === null ? '–' : bytes(series.bytesPerStep),
      title: stats.movedTitle,
    },
  ];
}

/** To the early stop, if nothing improves, and to the last epoch. */
function timeLeft(
  run: TrainingRun,
  series: Pick<RunSeries, 'epochs'>,
  job: Job | undefined,
  step: number,
): string {
  const full = job?.progress.secondsLeft ?? null;
  if (full === null) return '–';
  const stop = stopEpoch(run, series.epochs);
  const remaining = run.totalSteps - step;
  if (stop === null || remaining <= 0) return duration(full);
  const toStop = Math.max(0, (stop / run.config.epochs) * run.totalSteps - step);
  const early = (full * toStop) / remaining;
  return early < full * 0.95 ? t.models.stats.leftRange(early, full) : duration(full);
}
