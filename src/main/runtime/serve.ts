import { CancelledError, InvariantError, serializeError } from '../../shared/errors/index.ts';
import { createContext, type ComputeContext } from './context.ts';
import type { HandlerTable } from './handlers/handler.ts';
import type { Method, ParentMessage } from './protocol.ts';
import type { Port } from './transport.ts';

/**
 * Answers the calls that come through `port` with the handlers of a table. Calls may interleave between two
 * runs of a model; a cancelled one ends there with a CancelledError. `exit` ends the process.
 */
export function serveCalls(port: Port, handlers: Partial<HandlerTable>, exit: () => void): void {
  const running = new Map<number, AbortController>();
  let context: ComputeContext | null = null;

  const answer = async (id: number, method: Method, request: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      if (context === null) throw new InvariantError(`call of ${method} before init`);
      const handler = handlers[method] as ErasedHandler | undefined; // request and result travel untyped
      if (handler === undefined) throw new InvariantError(`the compute process has no method ${method}`);
      const value = await handler(request, {
        context,
        signal: controller.signal,
        emit: (event: unknown) => {
          port.post({ type: 'event', id, event });
        },
        checkpoint: () => {
          if (controller.signal.aborted) throw new CancelledError(`"${method}"`);
        },
      });
      port.post({ type: 'result', id, value });
    } catch (error) {
      port.post({ type: 'error', id, error: serializeError(error) });
    } finally {
      running.delete(id);
    }
  };

  const receive: { [T in ParentMessage['type']]: (m: Extract<ParentMessage, { type: T }>) => void } = {
    init: (m) => {
      context = createContext(m.settings);
    },
    call: (m) => {
      void answer(m.id, m.method, m.request);
    },
    cancel: (m) => running.get(m.id)?.abort(),
    exit,
  };
  port.onMessage((message) => {
    (receive[message.type] as (m: ParentMessage) => void)(message); // the table is keyed by the message's type
  });
  port.onClose(exit);
}

type ErasedHandler = (request: unknown, call: unknown) => Promise<unknown>;
