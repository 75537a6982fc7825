import type { Job } from '../../shared/domain/index.ts';
import { t } from '../i18n/index.ts';

/** Share done, or null while the total is not known. */
export function jobFraction({ progress, status }: Job): number | null {
  if (status === 'complete') return 1;
  return progress.total === null || progress.total === 0 ? null : progress.done / progress.total;
}

/** Count, rate and time left in one line; what came of it once it ended. */
export function jobFacts(job: Job): string {
  const { progress, status } = job;
  if (status === 'complete') return job.summary ?? '';
  if (status === 'failed') return job.error?.message ?? '';
  const running = status === 'running';
  return [
    progress.message,
    progress.total === null && progress.done === 0
      ? ''
      : t.frame.jobProgress(progress.done, progress.total, progress.unit),
    running && progress.rate !== null ? t.frame.jobRate(progress.rate, progress.unit) : '',
    running && progress.secondsLeft !== null ? t.frame.jobLeft(progress.secondsLeft) : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
