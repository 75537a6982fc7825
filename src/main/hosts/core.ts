import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { attachMessagePort } from '../ipc/index.ts';
import type { WorkerMessage } from '../runtime/protocol.ts';
import type { ExitInfo, Transport } from '../runtime/transport.ts';
import type { FromCore, ToCore } from '../shell/messages.ts';
import { reopenLast } from '../services/reopen.ts';
import { StoreError } from '../../shared/errors/index.ts';
import type { SecretStore } from '../services/secrets.ts';
import { compose } from './compose.ts';
import { appPaths } from './paths.ts';
import { parentPort, type UtilityPort } from './utility-port.ts';

// The services under Electron: a utility process of their own, so that no query freezes a window.

const Config = z.object({ data: z.string(), studies: z.string(), keychain: z.boolean() });
const { keychain, ...folders } = Config.parse(JSON.parse(process.env['ENGRAM_CORE'] ?? '{}'));
const parent = parentPort();
const paths = appPaths();
const say = (message: FromCore): void => {
  parent.postMessage(message);
};

/** Compute processes by number, waiting for their port or running. */
const computes = new Map<
  number,
  { readonly attach: (port: UtilityPort) => void; readonly exit: (info: ExitInfo) => void }
>();
let nextCompute = 1;

/** A compute process that the main process starts; messages wait until its port is there. */
function remoteCompute(entry: string): Transport {
  const id = nextCompute++;
  const waiting: unknown[] = [];
  const listeners: ((message: WorkerMessage) => void)[] = [];
  const exits: ((info: ExitInfo) => void)[] = [];
  let open: UtilityPort | null = null;
  computes.set(id, {
    attach: (port) => {
      open = port;
      port.on('message', ({ data }) => {
        for (const listener of listeners) listener(data as WorkerMessage); // the compute process speaks this protocol only
      });
      port.start();
      for (const message of waiting.splice(0)) port.postMessage(message);
    },
    exit: (info) => {
      for (const listener of exits) listener(info);
    },
  });
  say({ type: 'spawn-compute', id, entry });
  return {
    post: (message) => {
      if (open === null) waiting.push(message);
      else open.postMessage(message);
    },
    onMessage: (listener) => listeners.push(listener),
    onExit: (listener) => exits.push(listener),
    kill: () => {
      say({ type: 'kill-compute', id });
    },
    // A utility process lives as long as the application; nothing has to be held.
    hold: () => undefined,
  };
}

/** Secrets as the main process gave them; it keeps them in the system's keychain, where there is one. */
const secretValues = new Map<string, string>();
const secretCalls = new Map<number, (error: string | null) => void>();
let nextSecret = 1;
const secrets: SecretStore = {
  place: keychain ? 'keychain' : 'memory',
  get: (name) => secretValues.get(name) ?? null,
  set: async (name, value) => {
    if (keychain) {
      const call = nextSecret++;
      const error = await new Promise<string | null>((resolve) => {
        secretCalls.set(call, resolve);
        say({ type: 'keep-secret', call, name, value });
      });
      if (error !== null) {
        throw new StoreError('KEYCHAIN', `The keychain refuses: ${error}.`, 'Unlock it and try again.');
      }
    }
    if (value === null) secretValues.delete(name);
    else secretValues.set(name, value);
  },
};

const log = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const core = compose({
  paths: { ...paths, compute: join(paths.root, 'out', 'main', 'compute-electron.js') },
  folders,
  host: 'electron',
  transport: remoteCompute,
  secrets,
  log,
});
void reopenLast(core.context, log);

async function save(offer: string, path: string): Promise<string | null> {
  const found = core.files.offered(offer);
  if (found === undefined) return 'The file is no longer kept; export it again.';
  try {
    const { content } = found;
    if ('path' in content) await copyFile(content.path, path);
    else await writeFileAtomic(path, Buffer.from(content.bytes));
    return null;
  } catch (error) {
    return `${path} could not be written: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

type Handlers = {
  readonly [T in ToCore['type']]: (
    message: Extract<ToCore, { type: T }>,
    port: UtilityPort | undefined,
  ) => void;
};

const handlers: Handlers = {
  page: (_message, port) => {
    if (port !== undefined) attachMessagePort(port, core.router, core.bus);
  },
  compute: ({ id }, port) => {
    if (port !== undefined) computes.get(id)?.attach(port);
  },
  'compute-exit': ({ id, code }) => {
    computes.get(id)?.exit({ code, signal: null, tail: '' });
    computes.delete(id);
  },
  register: ({ call, paths: places }) => {
    say({ type: 'registered', call, handles: places.map((path) => core.files.register(path)) });
  },
  save: ({ call, offer, path }) => {
    void save(offer, path).then((error) => {
      say({ type: 'saved', call, error });
    });
  },
  secret: ({ name, value }) => {
    secretValues.set(name, value);
  },
  'secret-kept': ({ call, error }) => {
    secretCalls.get(call)?.(error);
    secretCalls.delete(call);
  },
  close: () => {
    void core.close().finally(() => {
      say({ type: 'closed' });
    });
  },
};

parent.on('message', ({ data, ports }) => {
  const message = data as ToCore; // the main process speaks this protocol only
  (handlers[message.type] as (message: ToCore, port: UtilityPort | undefined) => void)(message, ports[0]);
});
