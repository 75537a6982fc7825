import type { EventBus } from './events.ts';
import type { Router } from './router.ts';

/** The part of Electron's MessagePortMain (and of Node's MessagePort) that is used. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
}

/** Serves one renderer over its port: structured-clone requests in, answers and events out. */
export function attachMessagePort(port: PortLike, router: Router, bus: EventBus): void {
  const unsubscribe = bus.subscribe((event) => {
    port.postMessage(event);
  });
  port.on('close', unsubscribe);
  port.on('message', ({ data }) => {
    void router.handle(data).then((answer) => {
      if (answer !== null) port.postMessage(answer);
    });
  });
  port.start();
}
