import { WireMessage } from '../../shared/contracts/index.ts';
import { deserializeError, EngineError, InvariantError } from '../../shared/errors/index.ts';

export type ConnectionState = 'connecting' | 'open' | 'lost';

/** How requests reach the services and events come back, whatever lies between. */
export interface Transport {
  request(service: string, method: string, input: unknown): Promise<unknown>;
  onEvent(listener: (event: string, payload: unknown) => void): () => void;
  onState(listener: (state: ConnectionState) => void): () => void;
  close(): void;
}

interface Waiting {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Pairs answers with requests and hands out events and states: what every transport has in common. */
export class Exchange {
  readonly #waiting = new Map<number, Waiting>();
  readonly #events = new Set<(event: string, payload: unknown) => void>();
  readonly #states = new Set<(state: ConnectionState) => void>();
  #state: ConnectionState = 'connecting';
  #next = 1;

  get state(): ConnectionState {
    return this.#state;
  }

  setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of this.#states) listener(state);
  }

  onEvent(listener: (event: string, payload: unknown) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  /** Called at once with the present state, then at each change. */
  onState(listener: (state: ConnectionState) => void): () => void {
    this.#states.add(listener);
    listener(this.#state);
    return () => this.#states.delete(listener);
  }

  /** Registers a request and returns its number and the promise of its answer. */
  open(): { id: number; answer: Promise<unknown> } {
    const id = this.#next++;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    return { id, answer };
  }

  /** Takes one message from the wire: an answer, a failure or an event. */
  receive(raw: unknown): void {
    const parsed = WireMessage.safeParse(raw);
    if (!parsed.success) {
      throw new InvariantError(
        `A message from the services is not of the agreed form: ${parsed.error.message}`,
      );
    }
    const message = parsed.data;
    if ('event' in message) {
      for (const listener of this.#events) listener(message.event, message.payload);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.output);
    else waiting?.reject(deserializeError(message.error));
  }

  /** Fails everything that still waits, because its answer can no longer come. */
  failAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) {
      reject(
        new EngineError(
          'CONNECTION_LOST',
          'The connection to the Engram services was lost before the answer came.',
          'It reconnects by itself; repeat the step when the connection is back.',
        ),
      );
    }
  }
}
