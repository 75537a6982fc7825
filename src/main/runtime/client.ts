import {
  CancelledError,
  EngineError,
  deserializeError,
  type EngramError,
} from '../../shared/errors/index.ts';
import type { CallOptions, ComputeApi } from './api.ts';
import { METHODS, type ComputeSettings, type Method, type WorkerMessage } from './protocol.ts';
import { forkTransport, type ExitInfo, type Transport } from './transport.ts';

export interface SpawnOptions {
  /** Absolute path of the compute process's script. */
  readonly entry: string;
  readonly threads?: number;
  readonly provider?: ComputeSettings['provider'];
  readonly memoryLimitBytes?: number;
  /** As in ComputeSettings. */
  readonly cacheFolder?: string;
  /** How the process is started; default: a forked Node process. */
  readonly transport?: (entry: string) => Transport;
}

/** The compute process as an object: its calls, and its end. */
export interface ComputeClient extends ComputeApi {
  /** Ends the process when idle or not; calls after it fail. */
  dispose(): void;
  /** Ends the process at once; pending calls fail, the next call starts a new one. */
  kill(): void;
  /** True while a process exists. */
  readonly running: boolean;
}

interface Pending {
  readonly method: Method;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: EngramError) => void;
  readonly onEvent: ((event: unknown) => void) | undefined;
  readonly finish: () => void;
}

const DEFAULT_MEMORY = 4096 * 2 ** 20;

function crashError(pending: Pending, exit: ExitInfo): EngineError {
  const how = exit.signal === null ? `exit code ${exit.code ?? 'unknown'}` : `signal ${exit.signal}`;
  const tail = exit.tail === '' ? '' : ` It said: ${exit.tail.split('\n').slice(-3).join(' ')}`;
  return new EngineError(
    'COMPUTE_CRASHED',
    `The compute process ended (${how}) during "${pending.method}".${tail}`,
    'Start it again: what was stored is kept. If memory ran out, lower the batch size or the memory limit.',
  );
}

/**
 * Starts the compute process on the first call, and again after a crash or a kill. All calls go through one
 * table of methods that both ends share.
 */
export function spawnCompute(options: SpawnOptions): ComputeClient {
  const settings: ComputeSettings = {
    threads: options.threads ?? 0,
    provider: options.provider ?? 'cpu',
    memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY,
    ...(options.cacheFolder === undefined ? {} : { cacheFolder: options.cacheFolder }),
  };
  const start = options.transport ?? forkTransport;
  const pending = new Map<number, Pending>();
  let transport: Transport | null = null;
  let disposed = false;
  let nextId = 1;

  const failAll = (errorOf: (p: Pending) => EngramError): void => {
    const calls = [...pending.values()];
    pending.clear();
    for (const p of calls) {
      p.finish();
      p.reject(errorOf(p));
    }
  };

  const receive = (message: WorkerMessage): void => {
    const call = pending.get(message.id);
    if (call === undefined) return;
    if (message.type === 'event') {
      call.onEvent?.(message.event);
      return;
    }
    pending.delete(message.id);
    if (pending.size === 0) transport?.hold(false);
    call.finish();
    if (message.type === 'result') call.resolve(message.value);
    else call.reject(deserializeError(message.error));
  };

  const process = (): Transport => {
    if (transport !== null) return transport;
    const started = start(options.entry);
    started.onMessage((message) => {
      if (transport === started) receive(message);
    });
    started.onExit((exit) => {
      if (transport !== started) return;
      transport = null;
      failAll((p) => crashError(p, exit));
    });
    started.post({ type: 'init', settings });
    started.hold(false);
    transport = started;
    return started;
  };

  const call = (method: Method, request: unknown, how: CallOptions<unknown> = {}): Promise<unknown> => {
    if (disposed) {
      return Promise.reject(
        new EngineError('COMPUTE_CLOSED', 'The compute process was closed.', 'Open the study again.'),
      );
    }
    if (how.signal?.aborted === true) return Promise.reject(new CancelledError(`"${method}"`));
    return new Promise((resolve, reject) => {
      const id = nextId++;
      const target = process();
      const cancel = (): void => {
        target.post({ type: 'cancel', id });
      };
      how.signal?.addEventListener('abort', cancel, { once: true });
      pending.set(id, {
        method,
        resolve,
        reject,
        onEvent: how.onEvent,
        finish: () => how.signal?.removeEventListener('abort', cancel),
      });
      target.hold(true);
      target.post({ type: 'call', id, method, request });
    });
  };

  const stop = (graceful: boolean): void => {
    const target = transport;
    transport = null;
    if (target !== null) {
      if (graceful) target.post({ type: 'exit' });
      else target.kill();
    }
    failAll(
      (p) =>
        new EngineError(
          'COMPUTE_STOPPED',
          `The compute process was stopped during "${p.method}".`,
          'Start it again to continue where it stopped.',
        ),
    );
  };

  const api = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (request?: unknown, how?: CallOptions<unknown>): Promise<unknown> => call(method, request, how),
    ]),
  ) as unknown as ComputeApi; // METHODS holds every method of ComputeApi, each forwarded with its own types

  return {
    ...api,
    dispose: () => {
      disposed = true;
      stop(pending.size === 0);
    },
    kill: () => {
      stop(false);
    },
    get running() {
      return transport !== null;
    },
  };
}
