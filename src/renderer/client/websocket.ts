import type { WireRequest } from '../../shared/contracts/index.ts';
import { Exchange, type Transport } from './transport.ts';

const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 8000;

/** The little of a WebSocket that is used, so that tests can hand in another. */
export type SocketFactory = (url: string) => WebSocket;

/**
 * JSON over one WebSocket. When it drops, requests under way fail with CONNECTION_LOST, later ones wait,
 * and it reconnects after 0.4 s, doubling to 8 s.
 */
export function webSocketTransport(url: string, open: SocketFactory = (u) => new WebSocket(u)): Transport {
  const exchange = new Exchange();
  const queue: string[] = [];
  let socket: WebSocket | null = null;
  let delay = FIRST_DELAY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  function connect(): void {
    const current = open(url);
    socket = current;
    current.onopen = () => {
      delay = FIRST_DELAY_MS;
      for (const text of queue.splice(0)) current.send(text);
      exchange.setState('open');
    };
    current.onmessage = (message) => exchange.receive(JSON.parse(String(message.data)));
    current.onclose = () => {
      socket = null;
      exchange.failAll();
      queue.length = 0;
      if (closed) return;
      exchange.setState('lost');
      timer = setTimeout(connect, delay);
      delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    };
  }

  connect();
  return {
    request(service, method, input) {
      const { id, answer } = exchange.open();
      const text = JSON.stringify({ id, service, method, input } satisfies WireRequest);
      if (socket !== null && socket.readyState === 1) socket.send(text);
      else queue.push(text);
      return answer;
    },
    onEvent: (listener) => exchange.onEvent(listener),
    onState: (listener) => exchange.onState(listener),
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
