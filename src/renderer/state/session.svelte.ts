import { EngineError } from '../../shared/errors/index.ts';
import type { EngramClient, StudyInfo } from '../../shared/contracts/index.ts';
import type { EventHub } from '../client/client.ts';
import { t } from '../i18n/index.ts';
import type { ErrorStore } from './errors.svelte.ts';

type AppInfo = Awaited<ReturnType<EngramClient['app']['info']>>;
type Counts = NonNullable<Awaited<ReturnType<EngramClient['studies']['current']>>['counts']>;
type History = Awaited<ReturnType<EngramClient['studies']['history']>>;

const INFO_EVERY_MS = 10_000;
const SETTLE_MS = 120;

/** The open study, its counts for the rail, undo and redo, and the device. */
export class Session {
  #study = $state.raw<StudyInfo | null>(null);
  #counts = $state.raw<Counts | null>(null);
  #history = $state.raw<History>({ undo: null, redo: null });
  #info = $state.raw<AppInfo | null>(null);
  #savedAt = $state.raw<Date | null>(null);
  #ready = $state.raw(false);
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: EngramClient, events: EventHub, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
    events.on('changed', ({ what }) => {
      if (what !== 'settings' && what !== 'history') this.#savedAt = new Date();
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.refresh(), SETTLE_MS);
    });
    setInterval(() => void this.refreshInfo(), INFO_EVERY_MS);
  }

  get study(): StudyInfo | null {
    return this.#study;
  }
  get counts(): Counts | null {
    return this.#counts;
  }
  get history(): History {
    return this.#history;
  }
  get info(): AppInfo | null {
    return this.#info;
  }
  /** When the last change was written to the study; null before the first. */
  get savedAt(): Date | null {
    return this.#savedAt;
  }
  /** False until the first answer about the current study came. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Asks which study is open, what it holds and what can be undone. */
  async refresh(): Promise<void> {
    await this.#errors.run(async () => {
      const current = await this.#client.studies.current({});
      if (current.study?.handle !== this.#study?.handle) {
        this.#savedAt = current.study === null ? null : new Date();
      }
      this.#study = current.study;
      this.#counts = current.counts;
      this.#history =
        current.study === null ? { undo: null, redo: null } : await this.#client.studies.history({});
      this.#ready = true;
    });
  }

  async refreshInfo(): Promise<void> {
    const before = this.#info?.notice ?? null;
    this.#info = await this.#client.app.info({}).catch(() => this.#info);
    const notice = this.#info?.notice ?? null;
    if (notice !== null && notice !== before) this.#errors.report(providerFallback(notice));
  }

  async undo(): Promise<void> {
    await this.#errors.run(() => this.#client.studies.undo({}));
    await this.refresh();
  }

  async redo(): Promise<void> {
    await this.#errors.run(() => this.#client.studies.redo({}));
    await this.refresh();
  }
}

/** The CPU stands in for the provider asked for: said once, and then shown beside the device. */
const providerFallback = (notice: string): EngineError =>
  new EngineError('PROVIDER_FALLBACK', notice, t.frame.fallbackNext);
