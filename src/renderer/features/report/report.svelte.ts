import type { EngramClient } from '../../../shared/contracts/index.ts';
import type { Report } from '../../../shared/domain/index.ts';
import type { ErrorStore } from '../../state/errors.svelte.ts';

const SAVE_AFTER_MS = 600;

/** The report as it is being edited: written a moment after the last key, at once after anything else. */
export class ReportEditor {
  #report = $state.raw<Report | null>(null);
  #saving = $state.raw(false);
  #unsaved = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #client: EngramClient;
  readonly #errors: ErrorStore;

  constructor(client: EngramClient, errors: ErrorStore) {
    this.#client = client;
    this.#errors = errors;
  }

  get report(): Report | null {
    return this.#report;
  }
  get saving(): boolean {
    return this.#saving;
  }

  /** What is stored now; not taken while something newer is being typed. */
  take(report: Report): void {
    if (!this.#unsaved) this.#report = report;
  }

  /** A change by typing. */
  type(report: Report): void {
    this.#report = report;
    this.#unsaved = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), SAVE_AFTER_MS);
  }

  /** A change of another kind: one step of undo of its own. */
  async change(report: Report): Promise<void> {
    await this.flush();
    this.#report = report;
    this.#unsaved = true;
    await this.flush();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    const report = this.#report;
    if (!this.#unsaved || report === null) return;
    this.#unsaved = false;
    this.#saving = true;
    const saved = await this.#errors.run(() => this.#client.report.save(report));
    // What could not be written stays, and is written with the next change.
    if (saved === undefined) this.#unsaved = true;
    this.#saving = false;
  }
}
