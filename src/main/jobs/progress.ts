import type { JobProgress } from '../../shared/domain/index.ts';

/** Time over which the rate is measured, and the shortest time between two reports, in milliseconds. */
const WINDOW_MS = 8_000;
const REPORT_MS = 100;

/** Turns counts of finished units into a rate and the time left, and keeps reports to ten a second. */
export interface ProgressMeter {
  readonly update: (done: number, total: number | null, unit: string, message: string) => void;
  /** Sends the newest state on even if one was just sent. */
  readonly flush: () => void;
  /** The newest state. */
  readonly current: () => JobProgress;
}

export function createProgressMeter(
  initial: JobProgress,
  report: (progress: JobProgress) => void,
  clock: () => number = () => performance.now(),
): ProgressMeter {
  const samples: { at: number; done: number }[] = [];
  let progress = initial;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let pending = false;

  const flush = () => {
    if (!pending) return;
    pending = false;
    reportedAt = clock();
    report(progress);
  };
  return {
    update: (done, total, unit, message) => {
      const at = clock();
      // Another unit, or a step back, is another stretch of work: its rate is measured afresh.
      if (unit !== progress.unit || done < (samples.at(-1)?.done ?? 0)) samples.length = 0;
      samples.push({ at, done });
      while (samples.length > 2 && at - (samples[0]?.at ?? at) > WINDOW_MS) samples.shift();
      const rate = rateOf(samples);
      progress = {
        done,
        total,
        unit,
        message,
        rate,
        secondsLeft:
          rate === null || rate === 0 || total === null ? null : Math.max(0, (total - done) / rate),
      };
      pending = true;
      if (at - reportedAt >= REPORT_MS) flush();
    },
    flush,
    current: () => progress,
  };
}

/** Units per second between the first and the last sample; null before there are two. */
function rateOf(samples: readonly { at: number; done: number }[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  return ((last.done - first.done) / (last.at - first.at)) * 1000;
}
