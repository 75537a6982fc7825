import { describe, expect, it, vi } from 'vitest';
import { createClient, EventHub } from '../../../src/renderer/client/client.ts';
import { type ConnectionState, Exchange, type Transport } from '../../../src/renderer/client/transport.ts';
import { webSocketTransport } from '../../../src/renderer/client/websocket.ts';
import { UserInputError } from '../../../src/shared/errors/index.ts';

/** A socket under the test's control. */
class Socket {
  readyState = 0;
  sent: string[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  send(text: string) {
    this.sent.push(text);
  }
  close() {
    this.drop();
  }
  accept() {
    this.readyState = 1;
    this.onopen?.();
  }
  drop() {
    this.readyState = 3;
    this.onclose?.();
  }
  answer(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function withSockets() {
  const sockets: Socket[] = [];
  const transport = webSocketTransport('ws://x/rpc', () => {
    const socket = new Socket();
    sockets.push(socket);
    // The transport uses only what Socket has.
    return socket as unknown as WebSocket;
  });
  const states: ConnectionState[] = [];
  transport.onState((state) => states.push(state));
  return { transport, sockets, states };
}

describe('the WebSocket transport', () => {
  it('sends what was asked before the connection stood, and pairs answers by number', async () => {
    const { transport, sockets } = withSockets();
    const first = transport.request('app', 'info', {});
    const second = transport.request('jobs', 'list', {});
    const [socket] = sockets;
    expect(socket?.sent).toEqual([]);
    socket?.accept();
    expect(socket?.sent.map((text): unknown => JSON.parse(text))).toEqual([
      { id: 1, service: 'app', method: 'info', input: {} },
      { id: 2, service: 'jobs', method: 'list', input: {} },
    ]);
    socket?.answer({ id: 2, ok: true, output: 'two' });
    socket?.answer({ id: 1, ok: true, output: 'one' });
    expect(await first).toBe('one');
    expect(await second).toBe('two');
  });

  it('revives errors with their kind, code and next step', async () => {
    const { transport, sockets } = withSockets();
    sockets[0]?.accept();
    const asked = transport.request('studies', 'open', {});
    sockets[0]?.answer({
      id: 1,
      ok: false,
      error: { kind: 'user', code: 'STUDY_LOCKED', message: 'In use.', next: 'Close it there.' },
    });
    const error = await asked.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserInputError);
    expect(error).toMatchObject({ code: 'STUDY_LOCKED', next: 'Close it there.' });
  });

  it('fails what waits when the connection drops, shows it, and comes back', async () => {
    vi.useFakeTimers();
    const { transport, sockets, states } = withSockets();
    sockets[0]?.accept();
    const asked = transport.request('app', 'info', {}).catch((e: unknown) => e);
    sockets[0]?.drop();
    expect(await asked).toMatchObject({ code: 'CONNECTION_LOST' });
    expect(states).toEqual(['connecting', 'open', 'lost']);
    vi.advanceTimersByTime(400);
    expect(sockets).toHaveLength(2);
    sockets[1]?.drop();
    vi.advanceTimersByTime(799);
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(1);
    sockets[2]?.accept();
    expect(states.at(-1)).toBe('open');
    transport.close();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(3);
    vi.useRealTimers();
  });
});

/** A transport that answers from a table. */
function fixed(answers: Readonly<Record<string, unknown>>): { transport: Transport; exchange: Exchange } {
  const exchange = new Exchange();
  const transport: Transport = {
    request: (service, method) => Promise.resolve(answers[`${service}.${method}`]),
    onEvent: (listener) => exchange.onEvent(listener),
    onState: (listener) => exchange.onState(listener),
    close: () => undefined,
  };
  return { transport, exchange };
}

describe('the client', () => {
  it('has every method of the contract and hands on what the schema accepts', async () => {
    const { transport } = fixed({ 'curate.decide': { changed: 3 } });
    const client = createClient(transport);
    await expect(client.curate.decide({ ids: [1], decision: 'include', reason: null })).resolves.toEqual({
      changed: 3,
    });
  });
  it('stops an answer that is not of the agreed form', async () => {
    const client = createClient(fixed({ 'curate.decide': { changed: 'three' } }).transport);
    await expect(client.curate.decide({ ids: [1], decision: 'include', reason: null })).rejects.toMatchObject(
      {
        kind: 'invariant',
      },
    );
  });
});

describe('events', () => {
  it('reach their listeners, typed, until they stop listening; unknown ones are passed over', () => {
    const { transport, exchange } = fixed({});
    const hub = new EventHub(transport);
    const seen: string[] = [];
    const stop = hub.on('changed', ({ what }) => seen.push(what));
    exchange.receive({ event: 'changed', payload: { what: 'models' } });
    exchange.receive({ event: 'from-the-future', payload: 1 });
    stop();
    exchange.receive({ event: 'changed', payload: { what: 'pairs' } });
    expect(seen).toEqual(['models']);
  });
  it('of a wrong form are our bug', () => {
    const { transport, exchange } = fixed({});
    new EventHub(transport);
    expect(() => exchange.receive({ event: 'changed', payload: { what: 'nothing' } })).toThrow(/changed/);
  });
});
