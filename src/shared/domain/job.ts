import { z } from 'zod';
import { JobId, Timestamp } from './ids.ts';

export const JobStatus = z.enum(['queued', 'running', 'paused', 'complete', 'failed', 'stopped']);
export type JobStatus = z.infer<typeof JobStatus>;

/** Progress in whole units of work (records, steps, runs). */
export const JobProgress = z.object({
  done: z.number().nonnegative(),
  total: z.number().nonnegative().nullable(),
  unit: z.string(),
  /** Units per second over the last seconds. */
  rate: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  /** One line of what it is doing now. */
  message: z.string(),
});
export type JobProgress = z.infer<typeof JobProgress>;

export const JobError = z.object({ code: z.string(), message: z.string(), next: z.string() });

export const Job = z.object({
  id: JobId,
  kind: z.string(),
  title: z.string(),
  status: JobStatus,
  progress: JobProgress,
  createdAt: Timestamp,
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
  /** Continued after a crash or a restart. */
  resumed: z.boolean(),
  /** Whether it can be paused (always: cancel between units and start again). */
  pausable: z.boolean(),
  error: JobError.nullable(),
  /** What came of it: counts, a sentence. */
  summary: z.string().nullable(),
});
export type Job = z.infer<typeof Job>;
