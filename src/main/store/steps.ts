import { setImmediate } from 'node:timers/promises';

/** How far a long piece of work is. */
export interface Step {
  readonly done: number;
  readonly total: number;
  /** What it does now. */
  readonly doing: string;
}

/** Work in small steps: between two of them others may use the study. */
export type Steps<T> = Generator<Step, T, undefined>;

/** Does all steps at once. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const next = steps.next();
    if (next.done === true) return next.value;
  }
}

/**
 * Does the steps one by one and lets everything else run between them. Ends with the signal's reason, which is
 * thrown where the work stands, so that it can put away what it holds.
 */
export async function oneByOne<T>(
  steps: Steps<T>,
  signal?: AbortSignal,
  tell: (step: Step) => void = () => undefined,
): Promise<T> {
  for (;;) {
    if (signal?.aborted === true) steps.throw(signal.reason);
    signal?.throwIfAborted();
    const next = steps.next();
    if (next.done === true) return next.value;
    tell(next.value);
    await setImmediate();
  }
}
