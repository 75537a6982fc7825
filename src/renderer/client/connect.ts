import { BRIDGE_KEY, type DesktopBridge } from '../../shared/contracts/index.ts';
import { portTransport } from './port.ts';
import type { Transport } from './transport.ts';
import { webSocketTransport } from './websocket.ts';

export interface Host {
  readonly transport: Transport;
  /** Present under Electron only. */
  readonly bridge: DesktopBridge | null;
}

/** Finds out which host this page runs in and opens the way to the services. */
export function connectHost(page: Window = window): Host {
  // The preload script is the only one to set this key, to exactly this interface.
  const bridge = (page as unknown as Record<string, DesktopBridge | undefined>)[BRIDGE_KEY];
  if (bridge !== undefined) return { transport: portTransport(bridge, page), bridge };
  const { protocol, host } = page.location;
  const url = `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/rpc`;
  return { transport: webSocketTransport(url), bridge: null };
}
