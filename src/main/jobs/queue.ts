import type { z } from 'zod';
import type { Job, JobId } from '../../shared/domain/index.ts';
import type { ComputeApi } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';
import type { JobDefinition, JobRegistry } from './definition.ts';
import type { Emit } from './events.ts';

/** How a job ended well. */
export interface FinishedJob {
  readonly job: Job;
  /** What its definition returned as `result`; null when nothing. */
  readonly result: unknown;
}

/**
 * The jobs of one study. Jobs are rows: they outlive the process, and whatever was running when it
 * ended is run again, marked as resumed, when the study is next opened. Made by `createJobQueue`.
 */
export interface JobQueue {
  /** Puts a job in line and returns at once. Heavy ones wait for each other. */
  start<S extends z.ZodType>(definition: JobDefinition<S>, params: z.input<S>): Job;
  pause(id: JobId): Promise<void>;
  /** Runs a paused, stopped or failed job again from what it has stored. */
  resume(id: JobId): void;
  stop(id: JobId): Promise<void>;
  /** Asks a running job to end early and keep what there is; it then completes. */
  finish(id: JobId): void;
  list(): Job[];
  get(id: JobId): Job;
  log(id: JobId): { at: string; line: string }[];
  /** Resolves when the job is complete; rejects with its error, or a CancelledError when paused or stopped. */
  wait(id: JobId): Promise<FinishedJob>;
  /** Resolves when nothing is queued or running. */
  idle(): Promise<void>;
  /** Interrupts what runs, so that it is continued next time, and waits for it to end. */
  close(): Promise<void>;
}

export interface QueueOptions {
  readonly study: Study;
  readonly registry: JobRegistry;
  readonly compute: ComputeApi;
  readonly emit: Emit;
}
