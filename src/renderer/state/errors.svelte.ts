import { type EngramError, toEngramError } from '../../shared/errors/index.ts';

export interface Notice {
  readonly id: number;
  readonly error: EngramError;
}

/** Failures of what the user asked for; each stays until it is dismissed. */
export class ErrorStore {
  #notices = $state.raw<readonly Notice[]>([]);
  #next = 1;

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  report(thrown: unknown): void {
    const error = toEngramError(thrown);
    if (error.kind === 'cancelled') return;
    if (error.kind === 'invariant') reportError(error);
    const same = this.#notices.some((n) => n.error.code === error.code && n.error.message === error.message);
    if (!same) this.#notices = [...this.#notices, { id: this.#next++, error }];
  }

  dismiss(id: number): void {
    this.#notices = this.#notices.filter((n) => n.id !== id);
  }

  /** Runs an action and shows its failure; undefined when it failed. */
  async run<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action();
    } catch (error) {
      this.report(error);
      return undefined;
    }
  }
}
