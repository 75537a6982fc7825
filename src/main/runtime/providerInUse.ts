import type { ProviderName } from './providers.ts';

/**
 * Float32 sums in another order differ by about 1e-6 of the largest value; reduced precision (TF32, float16) by
 * 1e-3 and more, which would drown small effects.
 */
export const PROVIDER_TOLERANCE = 1e-4;

/** The runtime's reason without the places in its sources. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\s+/g, ' ')
    .replace(/^.*\bwas false\. /, '')
    .replace(/[\s.]+$/, '')
    .trim();
}

/** Which provider computes in this process: the one asked for, until there is a reason against it. */
export class ProviderInUse {
  readonly asked: ProviderName;
  #name: ProviderName;
  #notice: string | null = null;

  constructor(asked: ProviderName) {
    this.asked = asked;
    this.#name = asked;
  }

  get name(): ProviderName {
    return this.#name;
  }

  /** Why the CPU stands in for the provider asked for; null while it does not. */
  get notice(): string | null {
    return this.#notice;
  }

  /** The CPU computes from now on; the notice says why. Sessions that are open stay where they are. */
  fallBack(why: string): void {
    if (this.#name === 'cpu') return;
    this.#name = 'cpu';
    this.#notice = `The ${this.asked} provider ${why}. The CPU computes instead.`;
  }
}
