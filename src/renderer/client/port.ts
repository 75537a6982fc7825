import { type DesktopBridge, PORT_MESSAGE, type WireRequest } from '../../shared/contracts/index.ts';
import { Exchange, type Transport } from './transport.ts';

/**
 * Structured clone over the MessagePort that the preload script hands in. A new port (the services'
 * process was started again) replaces the old one; what still waited on the old one fails.
 */
export function portTransport(bridge: DesktopBridge, page: Window = window): Transport {
  const exchange = new Exchange();
  const queue: WireRequest[] = [];
  let port: MessagePort | null = null;

  function onWindowMessage(message: MessageEvent): void {
    const arrived = message.ports[0];
    if (message.source !== page || message.data !== PORT_MESSAGE || arrived === undefined) return;
    if (port !== null) {
      port.close();
      exchange.failAll();
    }
    port = arrived;
    arrived.onmessage = (event) => exchange.receive(event.data);
    arrived.addEventListener('close', () => {
      if (port !== arrived) return;
      port = null;
      exchange.failAll();
      exchange.setState('lost');
      bridge.connect();
    });
    arrived.start();
    for (const request of queue.splice(0)) arrived.postMessage(request);
    exchange.setState('open');
  }

  page.addEventListener('message', onWindowMessage);
  bridge.connect();
  return {
    request(service, method, input) {
      const { id, answer } = exchange.open();
      const request: WireRequest = { id, service, method, input };
      if (port === null) queue.push(request);
      else port.postMessage(request);
      return answer;
    },
    onEvent: (listener) => exchange.onEvent(listener),
    onState: (listener) => exchange.onState(listener),
    close() {
      page.removeEventListener('message', onWindowMessage);
      port?.close();
    },
  };
}
