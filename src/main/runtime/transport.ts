import { fork } from 'node:child_process';
import { Socket } from 'node:net';
import type { ParentMessage, WorkerMessage } from './protocol.ts';

/** How the compute process ended. */
export interface ExitInfo {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines it wrote to its error output. */
  readonly tail: string;
}

/** One running compute process seen from the parent: a forked child, or Electron's utilityProcess. */
export interface Transport {
  post(message: ParentMessage): void;
  onMessage(listener: (message: WorkerMessage) => void): void;
  onExit(listener: (info: ExitInfo) => void): void;
  /** Ends the process at once, in the middle of a run if need be. */
  kill(): void;
  /** Whether a running process keeps the parent alive. */
  hold(busy: boolean): void;
}

/** The compute process seen from inside: where calls come from and answers go. */
export interface Port {
  post(message: WorkerMessage): void;
  onMessage(listener: (message: ParentMessage) => void): void;
  /** The parent is gone. */
  onClose(listener: () => void): void;
}

/** What a compute process finds in its environment. */
const COMPUTE_ENV: Readonly<Record<string, string>> = {
  /** Large freed blocks go back to the system, so that closed sessions give their memory back (glibc only). */
  MALLOC_MMAP_THRESHOLD_: '1000000',
  /** NVIDIA libraries multiply in full float32, not in TF32 with its ten bits: effects of 1e-4 must not drown. */
  NVIDIA_TF32_OVERRIDE: '0',
  /** ONNX Runtime sends no usage events (see no-telemetry.ts). */
  ORT_DISABLE_TELEMETRY: '1',
};

const TAIL_CHARACTERS = 2000;

/** Starts the compute process as a child of this Node process. `entry` is the absolute path of its script. */
export function forkTransport(entry: string): Transport {
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...COMPUTE_ENV },
  });
  let tail = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    tail = (tail + text).slice(-TAIL_CHARACTERS);
  });
  // Listening to it alone is no reason for the parent to live.
  if (child.stderr instanceof Socket) child.stderr.unref();
  // Writing to a child that has just died fails; `exit` tells the client.
  child.on('error', (error) => {
    tail += error.message;
  });
  return {
    post: (message) => {
      if (child.connected) child.send(message);
    },
    onMessage: (listener) => {
      child.on('message', (message) => {
        listener(message as WorkerMessage); // the child speaks this protocol only
      });
    },
    onExit: (listener) => {
      let ended = false;
      const end = (code: number | null, signal: string | null): void => {
        if (ended) return;
        ended = true;
        listener({ code, signal, tail: tail.trim() });
      };
      child.on('exit', end);
      child.on('error', () => {
        if (child.pid === undefined) end(null, null);
      });
    },
    kill: () => {
      child.kill('SIGKILL');
    },
    hold: (busy) => {
      if (busy) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
  };
}

/** The port of a process started by `forkTransport`. */
export function processPort(): Port {
  return {
    post: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on('message', (message) => {
        listener(message as ParentMessage); // the parent speaks this protocol only
      });
    },
    onClose: (listener) => {
      process.on('disconnect', listener);
    },
  };
}
