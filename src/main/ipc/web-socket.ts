import type { WebSocket } from 'ws';
import type { EventBus } from './events.ts';
import type { Router } from './router.ts';

/** Events a slow reader may leave unread before its connection is closed. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** Serves one authenticated WebSocket: JSON requests in, answers and events out. */
export function attachWebSocket(socket: WebSocket, router: Router, bus: EventBus): void {
  const send = (message: unknown): void => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      socket.close(1013, 'The reader is too slow.');
      return;
    }
    socket.send(JSON.stringify(message));
  };
  const unsubscribe = bus.subscribe((event) => {
    send(event);
  });
  socket.on('close', unsubscribe);
  // A broken connection also closes; without a listener the error would end the process.
  socket.on('error', unsubscribe);
  socket.on('message', (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => {
    const message = isBinary ? undefined : parseJson(toText(data));
    void router.handle(message).then((answer) => {
      if (answer === null) socket.close(1007, 'Not a request.');
      else send(answer);
    });
  });
}

function toText(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.from(data as Uint8Array).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
