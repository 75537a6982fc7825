import { InvariantError } from '../../shared/errors/index.ts';
import type { ParentMessage, WorkerMessage } from '../runtime/protocol.ts';
import type { Port } from '../runtime/transport.ts';

/** A MessagePort inside a utility process. */
export interface UtilityPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown; ports: readonly UtilityPort[] }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
}

/** The way to the main process inside a utility process. */
export interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown; ports: readonly UtilityPort[] }) => void): unknown;
  once(
    event: 'message',
    listener: (event: { data: unknown; ports: readonly UtilityPort[] }) => void,
  ): unknown;
}

/** Electron puts it on `process`; only utility processes have it. */
export function parentPort(): ParentPort {
  const port = (process as { parentPort?: ParentPort }).parentPort;
  if (port === undefined) throw new InvariantError('This script runs as a utility process of Electron only.');
  return port;
}

/** The port to the core as the compute process's way in. */
export function portAdapter(port: UtilityPort): Port {
  return {
    post: (message: WorkerMessage) => {
      port.postMessage(message);
    },
    onMessage: (listener) => {
      port.on('message', ({ data }) => {
        listener(data as ParentMessage); // the core speaks this protocol only
      });
      port.start();
    },
    onClose: (listener) => {
      port.on('close', listener);
    },
  };
}
