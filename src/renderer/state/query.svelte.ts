import { untrack } from 'svelte';
import type { EngramEvents } from '../../shared/contracts/index.ts';
import { type EngramError, toEngramError } from '../../shared/errors/index.ts';
import type { EventHub } from '../client/client.ts';
import type { Connection } from './connection.svelte.ts';
import { useWorkbench } from './workbench.svelte.ts';

type ChangedWhat = EngramEvents['changed']['what'];

/**
 * What one call of the services answered. Earlier data stay while newer ones are on their way, and an
 * answer that was overtaken by a later call is dropped.
 */
export class Query<I, T> {
  #data = $state.raw<T | undefined>(undefined);
  #error = $state.raw<EngramError | undefined>(undefined);
  #loading = $state.raw(false);
  #turn = 0;
  #input: I | undefined;
  readonly #load: (input: I) => Promise<T>;

  constructor(load: (input: I) => Promise<T>) {
    this.#load = load;
  }

  get data(): T | undefined {
    return this.#data;
  }

  get error(): EngramError | undefined {
    return this.#error;
  }

  get loading(): boolean {
    return this.#loading;
  }

  async fetch(input: I): Promise<void> {
    const turn = ++this.#turn;
    this.#input = input;
    this.#loading = true;
    try {
      const data = await this.#load(input);
      if (turn !== this.#turn) return;
      this.#data = data;
      this.#error = undefined;
    } catch (error) {
      if (turn === this.#turn) this.#error = toEngramError(error);
    } finally {
      if (turn === this.#turn) this.#loading = false;
    }
  }

  reload(): void {
    if (this.#input !== undefined) void this.fetch(this.#input);
  }

  clear(): void {
    this.#turn += 1;
    this.#input = undefined;
    this.#data = undefined;
    this.#error = undefined;
    this.#loading = false;
  }
}

export interface QueryOptions<I, T> {
  /** Reactive: the query runs again when it changes; null means there is nothing to ask. */
  readonly input: () => I | null;
  readonly load: (input: I) => Promise<T>;
  /** Runs again when one of these changed in the study. */
  readonly on: readonly ChangedWhat[];
}

/** A query that lives as long as the component that calls this while it is being created. */
export function useQuery<I, T>({ input, load, on }: QueryOptions<I, T>): Query<I, T> {
  const { events, connection } = useWorkbench();
  return bindQuery(new Query(load), { input, on, events, connection });
}

interface Binding<I> {
  readonly input: () => I | null;
  readonly on: readonly ChangedWhat[];
  readonly events: EventHub;
  readonly connection: Connection;
}

/** Ties a query to its input, to the study's changes and to the connection's returns, inside an effect root. */
function bindQuery<I, T>(query: Query<I, T>, { input, on, events, connection }: Binding<I>): Query<I, T> {
  $effect(() => {
    void connection.returns;
    const value = input();
    untrack(() => {
      if (value === null) query.clear();
      else void query.fetch(value);
    });
  });
  $effect(() =>
    events.on('changed', ({ what }) => {
      if (on.includes(what)) query.reload();
    }),
  );
  return query;
}
