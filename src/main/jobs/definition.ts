import { z } from 'zod';
import type { JobStatus } from '../../shared/domain/index.ts';
import { InvariantError, UserInputError } from '../../shared/errors/index.ts';
import type { ComputeApi } from '../runtime/api.ts';
import type { Study } from '../store/index.ts';
import type { Emit } from './events.ts';

/** What a running job can reach. `signal` ends it (pause, stop, closing); a job checks it between units. */
export interface JobContext<P> {
  readonly jobId: number;
  readonly params: P;
  /** Aborted on pause, stop and closing of the study. Throw a CancelledError (or the signal's reason). */
  readonly signal: AbortSignal;
  /** Aborted when the user asks to end early and keep what there is. The job then completes normally. */
  readonly finish: AbortSignal;
  /** Whole units done and to do. `total` null = not known. Sent on at most ten times a second. */
  readonly progress: (done: number, total: number | null, unit: string, message: string) => void;
  /** One line for the job's log. Never texts of abstracts. */
  readonly log: (line: string) => void;
  readonly study: Study;
  readonly compute: ComputeApi;
  readonly emit: Emit;
  /** An earlier attempt of this very job was interrupted: what it stored is still there. */
  readonly resumed: boolean;
}

/** What came of a job. `result` is kept as JSON for whoever waits for it (ids, counts). */
export interface JobOutcome {
  readonly summary: string;
  readonly result?: JsonValue;
}
type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/**
 * One kind of job. `run` must be idempotent: it may be started again after any interruption, the
 * process's death included, and must then come to the same final content.
 */
export interface JobDefinition<S extends z.ZodType = z.ZodType> {
  readonly kind: string;
  readonly params: S;
  /** Heavy jobs (computation) run one at a time; light ones run beside them. */
  readonly heavy: boolean;
  title(params: z.output<S>): string;
  run(context: JobContext<z.output<S>>): Promise<JobOutcome>;
  /** Keeps rows that mirror the job's status (a sweep, a training run) in step, in the same transaction. */
  onStatus?(status: JobStatus, params: z.output<S>, study: Study, jobId: number): void;
}

/** A definition with its parameter type erased: parameters are parsed at this border. */
export interface RegisteredJob {
  readonly kind: string;
  readonly heavy: boolean;
  title(params: unknown): string;
  run(context: JobContext<unknown>): Promise<JobOutcome>;
  onStatus(status: JobStatus, params: unknown, study: Study, jobId: number): void;
}

export function defineJob<S extends z.ZodType>(definition: JobDefinition<S>): JobDefinition<S> {
  return definition;
}

/** Erases the parameter type; what is stored in the study is parsed again before it is used. */
export function registerJob<S extends z.ZodType>(definition: JobDefinition<S>): RegisteredJob {
  const parse = (params: unknown): z.output<S> => {
    const parsed = definition.params.safeParse(params);
    if (parsed.success) return parsed.data;
    throw new UserInputError(
      'JOB_PARAMETERS',
      `The parameters of a job of kind "${definition.kind}" are not valid: ${z.prettifyError(parsed.error)}.`,
      'Start it again from its page.',
    );
  };
  return {
    kind: definition.kind,
    heavy: definition.heavy,
    title: (params) => definition.title(parse(params)),
    run: (context) => definition.run({ ...context, params: parse(context.params) }),
    onStatus: (status, params, study, jobId) => {
      // Parameters that do not parse are the run's error to report; nothing can mirror their status.
      const parsed = definition.params.safeParse(params);
      if (parsed.success) definition.onStatus?.(status, parsed.data, study, jobId);
    },
  };
}

/** All kinds of jobs an application knows, by kind. */
export type JobRegistry = ReadonlyMap<string, RegisteredJob>;

export function createJobRegistry(jobs: readonly RegisteredJob[]): JobRegistry {
  const registry = new Map<string, RegisteredJob>();
  for (const job of jobs) {
    if (registry.has(job.kind)) throw new InvariantError(`two jobs are called "${job.kind}"`);
    registry.set(job.kind, job);
  }
  return registry;
}
