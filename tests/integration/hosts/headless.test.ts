import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startHeadless, type HeadlessHost } from '../../../src/main/hosts/headless.ts';
import { appPaths } from '../../../src/main/hosts/paths.ts';
import { WireMessage } from '../../../src/shared/contracts/index.ts';

let folder: string;
let host: HeadlessHost;
let socket: WebSocket;
const events: string[] = [];
const waiting = new Map<number, (message: WireMessage) => void>();
let nextId = 1;

/** Calls a method as the page does. */
async function call(service: string, method: string, input: unknown = {}): Promise<unknown> {
  const id = nextId++;
  const answer = new Promise<WireMessage>((resolve) => waiting.set(id, resolve));
  socket.send(JSON.stringify({ id, service, method, input }));
  const message = await answer;
  if ('ok' in message && message.ok) return message.output;
  if ('ok' in message) throw new Error(`${message.error.code}: ${message.error.message}`);
  throw new Error('not an answer');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-headless-'));
  const renderer = join(folder, 'renderer');
  mkdirSync(renderer);
  writeFileSync(join(renderer, 'index.html'), '<!doctype html>');
  const folders = { data: join(folder, 'data'), studies: join(folder, 'studies') };
  const study = join(folder, 'study');
  host = await startHeadless({ paths: { ...appPaths(), renderer }, folders, port: 0, study });
  const entered = await fetch(host.url);
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
  const origin = `http://127.0.0.1:${host.port}`;
  socket = new WebSocket(`ws://127.0.0.1:${host.port}/rpc`, { headers: { Cookie: cookie, Origin: origin } });
  socket.on('message', (data: Buffer) => {
    const message = WireMessage.parse(JSON.parse(data.toString('utf8')));
    if ('event' in message) events.push(message.event);
    else waiting.get(message.id)?.(message);
  });
  await new Promise((resolve) => socket.on('open', resolve));
});

afterAll(async () => {
  socket.terminate();
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the headless host', () => {
  it('opens the study it was given and answers through the socket', async () => {
    expect(await call('studies', 'current')).toMatchObject({ study: { name: 'study', synthetic: false } });
    expect(await call('app', 'info')).toMatchObject({ host: 'browser', provider: 'cpu' });
    await expect(call('models', 'rename', { id: 99, name: 'x' })).rejects.toThrow('NOT_IN_STUDY');
    await expect(call('models', 'rename', { id: 'x' })).rejects.toThrow('INPUT_INVALID');
  });

  it('makes a model and tells every listener', async () => {
    const model = await call('models', 'create', {
      name: 'small',
      nLayer: 1,
      nHead: 2,
      dModel: 8,
      nCtx: 32,
      tokenizer: 'sample',
      seed: 1,
    });
    expect(model).toMatchObject({ name: 'small', origin: 'created' });
    expect(events).toContain('changed');
    const line = {
      id: 'a',
      clean: 'The seizures began',
      corrupted: 'The patients began',
      answer: [' in'],
      wrong: [' on'],
    };
    const check = (await call('pairs', 'check', { modelId: 1, line })) as {
      run: { cleanTop: unknown[] } | null;
    };
    expect(check.run?.cleanTop).toHaveLength(10);
  });

  it('lists folders of this machine by handle', async () => {
    const roots = (await call('files', 'roots')) as { handle: string }[];
    const listing = (await call('files', 'list', { handle: roots[0]?.handle })) as { entries: object[] };
    expect(listing.entries.every((entry) => !('path' in entry))).toBe(true);
    await expect(call('files', 'list', { handle: '/etc' })).rejects.toThrow('FILE_HANDLE_UNKNOWN');
  });

  it('computes with changed settings from the next call on', async () => {
    const settings = (await call('app', 'getSettings')) as object;
    await call('app', 'setSettings', { ...settings, threads: 1 });
    expect(await call('app', 'info')).toMatchObject({ threads: 1 });
    await call('app', 'setSettings', { ...settings, threads: 2 });
    expect(await call('app', 'info')).toMatchObject({ threads: 2 });
    expect(await call('app', 'licences')).toContainEqual(
      expect.objectContaining({ name: 'onnxruntime-node' }),
    );
  });
});
