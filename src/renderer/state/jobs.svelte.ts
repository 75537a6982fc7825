import type { EngramClient } from '../../shared/contracts/index.ts';
import type { Job, JobId } from '../../shared/domain/index.ts';
import type { EventHub } from '../client/client.ts';
import type { ErrorStore } from './errors.svelte.ts';

const ACTIVE: readonly Job['status'][] = ['queued', 'running', 'paused'];

export function isActive(job: Job): boolean {
  return ACTIVE.includes(job.status);
}

/** Every job of the study, newest first, kept current by events. */
export class JobStore {
  #jobs = $state.raw<readonly Job[]>([]);
  /** The last job that ended while the window was open, announced politely. */
  #ended = $state.raw<Job | null>(null);
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, events: EventHub, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
    events.on('job', (job) => this.#take(job));
  }

  get all(): readonly Job[] {
    return this.#jobs;
  }
  get active(): readonly Job[] {
    return this.#jobs.filter(isActive);
  }
  get ended(): Job | null {
    return this.#ended;
  }

  byId(id: JobId | null): Job | undefined {
    return this.#jobs.find((job) => job.id === id);
  }

  async refresh(): Promise<void> {
    const jobs = await this.#errors.run(() => this.#client.jobs.list({}));
    if (jobs !== undefined) this.#jobs = [...jobs].sort((a, b) => b.id - a.id);
  }

  clear(): void {
    this.#jobs = [];
    this.#ended = null;
  }

  #take(job: Job): void {
    const before = this.#jobs.find((j) => j.id === job.id);
    if (before !== undefined && isActive(before) && !isActive(job)) this.#ended = job;
    this.#jobs =
      before === undefined ? [job, ...this.#jobs] : this.#jobs.map((j) => (j.id === job.id ? job : j));
  }

  pause(id: JobId): Promise<unknown> {
    return this.#errors.run(() => this.#client.jobs.pause({ id }));
  }
  resume(id: JobId): Promise<unknown> {
    return this.#errors.run(() => this.#client.jobs.resume({ id }));
  }
  stop(id: JobId): Promise<unknown> {
    return this.#errors.run(() => this.#client.jobs.stop({ id }));
  }
}
