import { describe, expect, it } from 'vitest';
import { startCore, type AnyPort, type ChildLike } from '../../../../src/main/shell/core.ts';
import { registerDialogs, type CallerEvent } from '../../../../src/main/shell/dialogs.ts';
import type { ToCore } from '../../../../src/main/shell/messages.ts';
import { CHANNELS } from '../../../../src/shared/contracts/index.ts';

/** A child process as Electron would give it, driven by the test. */
class Child implements ChildLike {
  readonly sent: { message: unknown; ports: AnyPort[] }[] = [];
  killed = false;
  say: (message: unknown) => void = () => undefined;
  exit: (code: number) => void = () => undefined;
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  constructor(name: string, env: Readonly<Record<string, string>>) {
    this.name = name;
    this.env = env;
  }
  postMessage(message: unknown, transfer: AnyPort[] = []): void {
    this.sent.push({ message, ports: transfer });
  }
  onMessage(listener: (message: unknown) => void): void {
    this.say = listener;
  }
  onExit(listener: (code: number) => void): void {
    this.exit = listener;
  }
  kill(): boolean {
    this.killed = true;
    return true;
  }
}

function start(kept: Readonly<Record<string, string>> = {}, available = false) {
  const vault = new Map(Object.entries(kept));
  const children: Child[] = [];
  const exits: number[] = [];
  let ports = 0;
  const core = startCore(
    {
      fork: (_entry, name, env) => {
        const child = new Child(name, env);
        children.push(child);
        return child;
      },
      channel: () => ({ port1: { port: ++ports }, port2: { port: ++ports } }),
      vault: {
        available,
        all: () => vault,
        keep: (name, value) => {
          if (value === 'refused') return Promise.reject(new Error('locked'));
          if (value === null) vault.delete(name);
          else vault.set(name, value);
          return Promise.resolve();
        },
      },
    },
    '/out/main/core.js',
    { data: '/d', studies: '/s' },
    (code) => exits.push(code),
  );
  const services = children[0];
  if (services === undefined) throw new Error('no core was started');
  return { core, services, children, exits, vault };
}

/** What a promise leads to has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the core process', () => {
  it('gets its folders, and a port for each page', () => {
    const { core, services } = start();
    expect(JSON.parse(services.env['ENGRAM_CORE'] ?? '')).toEqual({
      data: '/d',
      studies: '/s',
      keychain: false,
    });
    expect(core.connectPage()).toEqual({ port: 2 });
    expect(services.sent).toEqual([{ message: { type: 'page' }, ports: [{ port: 1 }] }]);
  });

  it('gets secrets by message only, and has them kept or removed', async () => {
    const { services, vault } = start({ 'pubmed-key': 'abc12345' }, true);
    expect(services.env['ENGRAM_CORE']).not.toContain('abc12345');
    expect(services.sent[0]?.message).toEqual({ type: 'secret', name: 'pubmed-key', value: 'abc12345' });
    services.say({ type: 'keep-secret', call: 1, name: 'pubmed-key', value: 'new' });
    expect(vault.get('pubmed-key')).toBe('new');
    services.say({ type: 'keep-secret', call: 2, name: 'pubmed-key', value: 'refused' });
    await settled();
    expect(services.sent.at(-1)?.message).toEqual({ type: 'secret-kept', call: 2, error: 'locked' });
    services.say({ type: 'keep-secret', call: 3, name: 'pubmed-key', value: null });
    expect(vault.size).toBe(0);
    await settled();
    expect(services.sent.at(-1)?.message).toEqual({ type: 'secret-kept', call: 3, error: null });
  });

  it('is joined to compute processes that the main process starts, ends and reports', () => {
    const { services, children } = start();
    services.say({ type: 'spawn-compute', id: 7, entry: '/out/main/compute-electron.js' });
    const compute = children[1];
    expect(compute?.sent).toEqual([{ message: null, ports: [{ port: 1 }] }]);
    expect(services.sent).toEqual([{ message: { type: 'compute', id: 7 }, ports: [{ port: 2 }] }]);
    services.say({ type: 'kill-compute', id: 7 });
    expect(compute?.killed).toBe(true);
    compute?.exit(137);
    expect(services.sent.at(-1)?.message).toEqual({ type: 'compute-exit', id: 7, code: 137 });
  });

  it('answers each call once, and turns a failed save into an error', async () => {
    const { core, services } = start();
    const handles = core.register(['/a.xml']);
    const saved = core.save('offer', '/b.html');
    const [register, save] = services.sent.map(({ message }) => message as Extract<ToCore, { call: number }>);
    services.say({ type: 'saved', call: save?.call, error: '/b.html could not be written: full.' });
    services.say({
      type: 'registered',
      call: register?.call,
      handles: [{ handle: 'h', name: 'a.xml', bytes: 3 }],
    });
    expect(await handles).toEqual([{ handle: 'h', name: 'a.xml', bytes: 3 }]);
    await expect(saved).rejects.toMatchObject({ code: 'SAVE_FAILED' });
  });

  it('tells an unexpected end from an asked one, and leaves no compute process behind', async () => {
    const unexpected = start();
    unexpected.services.say({ type: 'spawn-compute', id: 1, entry: 'x' });
    unexpected.services.exit(5);
    expect(unexpected.exits).toEqual([5]);
    expect(unexpected.children[1]?.killed).toBe(true);

    const asked = start();
    const closed = asked.core.close();
    expect(asked.services.sent.at(-1)?.message).toEqual({ type: 'close' });
    asked.services.say({ type: 'closed' });
    await closed;
    expect(asked.exits).toEqual([]);
  });
});

describe('file calls of the page', () => {
  const own: CallerEvent = { senderFrame: { url: 'app://engram/index.html' } };

  function dialogs(chosen: string[]) {
    const handlers = new Map<string, (event: CallerEvent, ...values: unknown[]) => Promise<unknown>>();
    const saved: string[][] = [];
    registerDialogs(
      {
        handle: (channel, listener) => handlers.set(channel, listener),
        showOpen: () => Promise.resolve({ canceled: chosen.length === 0, filePaths: chosen }),
        showSave: () => Promise.resolve({ canceled: chosen.length === 0, filePath: chosen[0] ?? '' }),
        downloads: '/downloads',
      },
      {
        connectPage: () => ({}),
        register: (paths) =>
          Promise.resolve(paths.map((path) => ({ handle: `h:${path}`, name: path, bytes: null }))),
        save: (offer, path) => Promise.resolve(void saved.push([offer, path])),
        close: () => Promise.resolve(),
      },
    );
    const call = (channel: string, value?: unknown, event = own) => handlers.get(channel)?.(event, value);
    return { call, saved };
  }

  it('answer with handles, never with paths chosen by the page', async () => {
    const { call } = dialogs(['/x.xml', '/y.xml']);
    expect(await call(CHANNELS.pickFiles, { extensions: ['xml'], multiple: true })).toHaveLength(2);
    expect(await call(CHANNELS.pickFolder)).toMatchObject({ handle: 'h:/x.xml' });
    expect(await dialogs([]).call(CHANNELS.pickFolder)).toBeNull();
    expect(await dialogs([]).call(CHANNELS.pickFiles, { extensions: [], multiple: false })).toEqual([]);
  });

  it('save only what was offered', async () => {
    const { call, saved } = dialogs(['/to.html']);
    const offer = { name: 'r.html', mime: 'text/html', bytes: 3 };
    expect(await call(CHANNELS.save, { ...offer, url: '/download/abc' })).toBe(true);
    expect(await call(CHANNELS.save, { ...offer, url: 'https://example.org/x' })).toBe(false);
    expect(saved).toEqual([['abc', '/to.html']]);
  });

  it('are refused to foreign pages and for values outside the schema', async () => {
    const { call } = dialogs(['/x']);
    const foreign = { senderFrame: { url: 'https://example.org/' } };
    await expect(call(CHANNELS.pickFolder, undefined, foreign)).rejects.toMatchObject({
      code: 'FOREIGN_SENDER',
    });
    await expect(call(CHANNELS.pickFolder, undefined, { senderFrame: null })).rejects.toMatchObject({
      code: 'FOREIGN_SENDER',
    });
    expect(() => call(CHANNELS.pickFiles, { extensions: ['*/../'], multiple: true })).toThrow();
  });
});
