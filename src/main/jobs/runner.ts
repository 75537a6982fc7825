import type { Job, JobId, JobProgress, JobStatus } from '../../shared/domain/index.ts';
import {
  type EngramError,
  CancelledError,
  InvariantError,
  UserInputError,
  deserializeError,
  serializeError,
  toEngramError,
} from '../../shared/errors/index.ts';
import type { JobUpdate, StoredJob } from '../store/index.ts';
import type { JobOutcome, RegisteredJob } from './definition.ts';
import { type Interruption, JobInterrupt } from './interrupt.ts';
import { createProgressMeter } from './progress.ts';
import type { FinishedJob, JobQueue, QueueOptions } from './queue.ts';

interface Running {
  readonly heavy: boolean;
  readonly abort: AbortController;
  readonly finish: AbortController;
  readonly ended: Promise<void>;
}

/** Status after an interruption: `close` leaves the job in line for the next opening. */
const INTERRUPTED: Readonly<Record<Interruption, JobStatus>> = {
  pause: 'paused',
  stop: 'stopped',
  close: 'queued',
};
/** Most jobs that compute nothing heavy, at the same time. */
const LIGHT_JOBS = 3;
/** Shortest time between two writes of a job's progress into the study, in milliseconds. */
const SAVE_PROGRESS_MS = 1_000;

/** Opens the queue of a study and continues its interrupted jobs. */
export function createJobQueue({ study, registry, compute, emit }: QueueOptions): JobQueue {
  const { jobs } = study;
  const running = new Map<JobId, Running>();
  /** Errors of this session with their class and cause; the study keeps them as data. */
  const failures = new Map<JobId, EngramError>();
  const settled = new Set<() => void>();
  let closing = false;

  const definitionOf = (kind: string): RegisteredJob => {
    const definition = registry.get(kind);
    if (definition !== undefined) return definition;
    throw new UserInputError(
      'JOB_UNKNOWN',
      `This Engram does not know jobs of kind "${kind}".`,
      'Open the study with the version of Engram that started the job.',
    );
  };

  /** Writes a job's new status, and what mirrors it, in one transaction; then tells. */
  const move = (stored: StoredJob, status: JobStatus, change: JobUpdate = {}): Job => {
    const job = study.transaction(() => {
      registry.get(stored.job.kind)?.onStatus(status, stored.params, study, stored.job.id);
      return jobs.update(stored.job.id, { ...change, status });
    });
    emit('job', job);
    return job;
  };

  const fail = (stored: StoredJob, error: unknown): void => {
    const failure = toEngramError(error);
    failures.set(stored.job.id, failure);
    const { stack: _stack, ...kept } = serializeError(failure);
    jobs.addLog(stored.job.id, failure.toLine());
    move(stored, 'failed', { error: kept, finishedAt: new Date().toISOString() });
  };

  const execute = async (
    stored: StoredJob,
    abort: AbortController,
    finish: AbortController,
  ): Promise<void> => {
    const { id, title } = stored.job;
    let savedAt = 0;
    const meter = createProgressMeter(
      { ...stored.job.progress, rate: null, secondsLeft: null },
      (progress) => {
        if (!running.has(id)) return;
        const at = performance.now();
        if (at - savedAt < SAVE_PROGRESS_MS) emit('job', { ...jobs.get(id).job, progress });
        else {
          savedAt = at;
          emit('job', jobs.update(id, { progress }));
        }
      },
    );
    const ended = (): JobProgress => ({ ...meter.current(), rate: null, secondsLeft: null });
    try {
      const outcome: JobOutcome = await definitionOf(stored.job.kind).run({
        jobId: id,
        params: stored.params,
        signal: abort.signal,
        finish: finish.signal,
        progress: meter.update,
        log: (line) => jobs.addLog(id, line),
        study,
        compute,
        emit,
        resumed: stored.job.resumed,
      });
      move(stored, 'complete', {
        progress: ended(),
        summary: outcome.summary,
        result: outcome.result ?? null,
        finishedAt: new Date().toISOString(),
      });
    } catch (error) {
      jobs.update(id, { progress: ended() });
      const reason: unknown = abort.signal.reason;
      if (!(reason instanceof JobInterrupt)) {
        fail(stored, error);
        return;
      }
      const { interruption } = reason;
      jobs.addLog(id, { pause: 'Paused.', stop: 'Stopped.', close: 'Interrupted by closing.' }[interruption]);
      move(stored, INTERRUPTED[interruption], {
        resumed: interruption === 'close' ? true : stored.job.resumed,
        finishedAt: interruption === 'stop' ? new Date().toISOString() : null,
      });
      if (!(toEngramError(error) instanceof CancelledError)) {
        jobs.addLog(id, `While ending: ${toEngramError(error).toLine()}`);
      }
      failures.set(id, new CancelledError(title));
    }
  };

  const launch = (stored: StoredJob): void => {
    const { id } = stored.job;
    const abort = new AbortController();
    const finish = new AbortController();
    failures.delete(id);
    move(stored, 'running', {
      ...(stored.job.startedAt === null ? { startedAt: new Date().toISOString() } : {}),
      finishedAt: null,
      error: null,
    });
    // The job starts in a later turn, so that whoever queued it knows its number first.
    const ended = Promise.resolve()
      .then(() => execute(stored, abort, finish))
      .catch((error: unknown) => failures.set(id, new InvariantError(`the queue failed at job ${id}`, error)))
      .then(() => {
        running.delete(id);
        dispatch();
        for (const tell of [...settled]) tell();
      });
    running.set(id, { heavy: stored.heavy, abort, finish, ended });
  };

  const dispatch = (): void => {
    if (closing) return;
    for (const stored of jobs.withStatus('queued')) {
      const beside = [...running.values()].filter((r) => r.heavy === stored.heavy).length;
      if (running.has(stored.job.id) || beside >= (stored.heavy ? 1 : LIGHT_JOBS)) continue;
      launch(stored);
    }
  };

  const interrupt = async (id: JobId, interruption: Interruption): Promise<void> => {
    const active = running.get(id);
    if (active !== undefined) {
      active.abort.abort(new JobInterrupt(jobs.get(id).job.title, interruption));
      await active.ended;
      return;
    }
    const stored = jobs.get(id);
    const waiting = stored.job.status === 'queued' || stored.job.status === 'paused';
    if (!waiting || interruption === 'close') return;
    move(stored, INTERRUPTED[interruption], {
      finishedAt: interruption === 'stop' ? new Date().toISOString() : null,
    });
    for (const tell of [...settled]) tell();
  };

  /** Calls `check` now and whenever a job ended, until it answers. */
  const when = <T>(check: () => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          const answer = check();
          if (answer === undefined) return;
          resolve(answer);
        } catch (error) {
          reject(toEngramError(error));
        }
        settled.delete(attempt);
      };
      settled.add(attempt);
      attempt();
    });

  const outcomeOf = (id: JobId): FinishedJob | undefined => {
    const { job, result, error } = jobs.get(id);
    if (job.status === 'complete') return { job, result };
    if (job.status === 'failed') {
      throw (
        failures.get(id) ??
        (error === null ? new InvariantError(`job ${id} failed`) : deserializeError(error))
      );
    }
    if (job.status === 'running' || (job.status === 'queued' && !closing)) return undefined;
    throw new CancelledError(job.title);
  };

  // Whatever the last process left running is in line again; what it stored is still there.
  for (const stored of jobs.withStatus('running')) {
    jobs.addLog(stored.job.id, 'Continued after an interruption.');
    move(stored, 'queued', { resumed: true });
  }
  queueMicrotask(dispatch);

  return {
    start: (definition, params) => {
      const registered = definitionOf(definition.kind);
      const { job } = study.transaction(() => {
        const stored = jobs.insert({
          kind: definition.kind,
          title: registered.title(params),
          params,
          heavy: definition.heavy,
        });
        registered.onStatus('queued', params, study, stored.job.id);
        return stored;
      });
      emit('job', job);
      queueMicrotask(dispatch);
      return job;
    },
    pause: (id) => interrupt(id, 'pause'),
    stop: (id) => interrupt(id, 'stop'),
    resume: (id) => {
      const stored = jobs.get(id);
      if (running.has(id) || !['paused', 'stopped', 'failed'].includes(stored.job.status)) return;
      failures.delete(id);
      move(stored, 'queued', { resumed: true, finishedAt: null, error: null });
      dispatch();
    },
    finish: (id) => running.get(id)?.finish.abort(),
    list: () => jobs.list(),
    get: (id) => jobs.get(id).job,
    log: (id) => jobs.log(id),
    wait: (id) => when(() => outcomeOf(id)),
    idle: () =>
      when(() => (running.size === 0 && jobs.withStatus('queued').length === 0 ? true : undefined)).then(
        () => {},
      ),
    close: async () => {
      closing = true;
      await Promise.all([...running.keys()].map((id) => interrupt(id, 'close')));
    },
  };
}
