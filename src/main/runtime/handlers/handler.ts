import type { ComputeContext } from '../context.ts';
import type { EventOf, Method, RequestOf, ResultOf } from '../protocol.ts';

/** One call in progress. */
export interface Call<E> {
  readonly context: ComputeContext;
  readonly signal: AbortSignal;
  /** Sends an event to the caller. */
  readonly emit: (event: E) => void;
  /** To be called between two runs: throws a CancelledError once the caller has cancelled. */
  readonly checkpoint: () => void;
}

export type Handler<M extends Method> = (
  request: RequestOf<M>,
  call: Call<EventOf<M>>,
) => Promise<ResultOf<M>>;
/** One handler per method. */
export type HandlerTable = { readonly [M in Method]: Handler<M> };
