import { events, type EngramEvents, type EventName } from '../../shared/contracts/index.ts';
import { InvariantError } from '../../shared/errors/index.ts';

/** One event with its payload, as it leaves the services. */
type BusEvent = {
  readonly [K in EventName]: { readonly event: K; readonly payload: EngramEvents[K] };
}[EventName];

export type EventListener = (event: BusEvent) => void;

/**
 * Carries what the services announce to every transport. A payload that breaks its schema is our bug
 * and throws in the service that sent it, never in a listener.
 */
export class EventBus {
  readonly #listeners = new Set<EventListener>();

  emit<K extends EventName>(event: K, payload: EngramEvents[K]): void {
    const checked = events[event].safeParse(payload);
    if (!checked.success) {
      throw new InvariantError(`Event ${event} breaks its schema: ${checked.error.message}`);
    }
    // The schema table and the union are one mapping; TypeScript cannot follow the key through it.
    const message = { event, payload } as BusEvent;
    for (const listener of this.#listeners) listener(message);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: EventListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
