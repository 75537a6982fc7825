import {
  type Contract,
  contract,
  type EngramClient,
  type EngramEvents,
  type EventName,
  events,
} from '../../shared/contracts/index.ts';
import { InvariantError } from '../../shared/errors/index.ts';
import type { Transport } from './transport.ts';

/** Methods of the contract as functions: each answer is checked against its schema before anyone sees it. */
export function createClient(transport: Transport): EngramClient {
  const all: Contract = contract;
  const services = Object.entries(all).map(([service, methods]) => [
    service,
    Object.fromEntries(
      Object.entries(methods).map(([name, { output }]) => [
        name,
        async (input: unknown): Promise<unknown> => {
          const answer = output.safeParse(await transport.request(service, name, input));
          if (answer.success) return answer.data;
          throw new InvariantError(
            `The answer to ${service}.${name} is not of the agreed form: ${answer.error.message}`,
          );
        },
      ]),
    ),
  ]);
  // Built by walking the contract, so every service and method is there; the compiler cannot follow
  // Object.fromEntries to the mapped type.
  const client: unknown = Object.fromEntries(services);
  return client as EngramClient;
}

/** Events by name, with their payload checked. */
export class EventHub {
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();

  constructor(transport: Transport) {
    transport.onEvent((name, payload) => {
      if (!isEventName(name)) return;
      const parsed = events[name].safeParse(payload);
      if (!parsed.success) throw new InvariantError(`The event ${name} is not of the agreed form.`);
      // The set under `name` only ever holds listeners of that name's payload (see `on`).
      for (const listener of this.#listeners.get(name) ?? []) listener(parsed.data as never);
    });
  }

  on<K extends EventName>(name: K, listener: (payload: EngramEvents[K]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }
}

function isEventName(name: string): name is EventName {
  return Object.hasOwn(events, name);
}
