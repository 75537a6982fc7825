import type { ConnectionState, Transport } from '../client/transport.ts';

/** Whether the services can be reached, and how often they came back (queries reload at each return). */
export class Connection {
  #state = $state.raw<ConnectionState>('connecting');
  #returns = $state.raw(0);

  constructor(transport: Transport) {
    transport.onState((state) => {
      if (state === 'open' && this.#state === 'lost') this.#returns += 1;
      this.#state = state;
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get returns(): number {
    return this.#returns;
  }
}
