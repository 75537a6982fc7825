import type { FileHandle } from '../../shared/contracts/index.ts';
import { StoreError } from '../../shared/errors/index.ts';
import type { FromCore, ToCore } from './messages.ts';
import type { SecretVault } from './secrets.ts';

/** The part of Electron's MessagePortMain that is only passed on. */
export type AnyPort = object;

/** One utility process, as Electron gives it. */
export interface ChildLike {
  postMessage(message: unknown, transfer?: AnyPort[]): void;
  onMessage(listener: (message: unknown) => void): void;
  onExit(listener: (code: number) => void): void;
  kill(): boolean;
}

/** What the core needs of Electron. */
export interface CoreEnvironment {
  fork(entry: string, name: string, env: Readonly<Record<string, string>>): ChildLike;
  channel(): { readonly port1: AnyPort; readonly port2: AnyPort };
  readonly vault: SecretVault;
}

/** The core process seen from the main process. */
export interface CoreProcess {
  /** Hands the core a page's port and returns the page's end. */
  connectPage(): AnyPort;
  register(paths: readonly string[]): Promise<readonly FileHandle[]>;
  /** Writes what was offered for download under `offer` to a file. */
  save(offer: string, path: string): Promise<void>;
  /** Interrupts jobs, closes the study and ends the process. */
  close(): Promise<void>;
}

/** Environment of the compute process: see its twin in runtime/transport.ts. */
const COMPUTE_ENV = {
  MALLOC_MMAP_THRESHOLD_: '1000000',
  NVIDIA_TF32_OVERRIDE: '0',
  ORT_DISABLE_TELEMETRY: '1',
} as const;

/**
 * Starts the core process and answers its wishes: compute processes are children of the main process too,
 * joined to the core by a port, because only the main process may start them. `onExit` when it ended unasked.
 */
export function startCore(
  environment: CoreEnvironment,
  entry: string,
  config: object,
  onExit: (code: number) => void,
): CoreProcess {
  const child = environment.fork(entry, 'Engram services', {
    ENGRAM_CORE: JSON.stringify({ ...config, keychain: environment.vault.available }),
  });
  const computes = new Map<number, ChildLike>();
  const calls = new Map<number, (answer: FromCore) => void>();
  let nextCall = 1;
  let closed: (() => void) | null = null;
  const send = (message: ToCore, ports: AnyPort[] = []): void => {
    child.postMessage(message, ports);
  };

  const handlers: { readonly [T in FromCore['type']]: (message: Extract<FromCore, { type: T }>) => void } = {
    'spawn-compute': ({ id, entry: script }) => {
      const compute = environment.fork(script, 'Engram compute', COMPUTE_ENV);
      const { port1, port2 } = environment.channel();
      computes.set(id, compute);
      compute.onExit((code) => {
        computes.delete(id);
        send({ type: 'compute-exit', id, code });
      });
      compute.postMessage(null, [port1]);
      send({ type: 'compute', id }, [port2]);
    },
    'kill-compute': ({ id }) => {
      computes.get(id)?.kill();
    },
    registered: (message) => {
      settle(message.call, message);
    },
    saved: (message) => {
      settle(message.call, message);
    },
    'keep-secret': ({ call, name, value }) => {
      void keepSecret(environment.vault, name, value).then((error) => {
        send({ type: 'secret-kept', call, error });
      });
    },
    closed: () => closed?.(),
  };
  const settle = (call: number, message: FromCore): void => {
    calls.get(call)?.(message);
    calls.delete(call);
  };
  child.onMessage((message) => {
    const known = message as FromCore; // the core process speaks this protocol only
    (handlers[known.type] as (message: FromCore) => void)(known); // the table is keyed by the message's type
  });
  // Never in the environment, which other programs of the user can read.
  for (const [name, value] of environment.vault.all()) send({ type: 'secret', name, value });
  child.onExit((code) => {
    for (const compute of computes.values()) compute.kill();
    if (closed === null) onExit(code);
    else closed();
  });
  const ask = (make: (call: number) => ToCore): Promise<FromCore> =>
    new Promise((resolve) => {
      const call = nextCall++;
      calls.set(call, resolve);
      send(make(call));
    });

  return {
    connectPage: () => {
      const { port1, port2 } = environment.channel();
      send({ type: 'page' }, [port1]);
      return port2;
    },
    register: async (paths) => {
      const answer = await ask((call) => ({ type: 'register', call, paths }));
      return answer.type === 'registered' ? answer.handles : [];
    },
    save: async (offer, path) => {
      const answer = await ask((call) => ({ type: 'save', call, offer, path }));
      if (answer.type === 'saved' && answer.error !== null) {
        throw new StoreError('SAVE_FAILED', answer.error, 'Choose another place and try again.');
      }
    },
    close: () =>
      new Promise((resolve) => {
        closed = resolve;
        send({ type: 'close' });
      }),
  };
}

/** Why a secret could not be kept; null when it is. */
async function keepSecret(vault: SecretVault, name: string, value: string | null): Promise<string | null> {
  try {
    await vault.keep(name, value);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
