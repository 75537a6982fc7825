import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { toEngramError, UserInputError } from '../../../shared/errors/index.ts';
import { attachWebSocket, type EventBus, type Router } from '../../ipc/index.ts';
import type { HostFileBroker } from '../../services/files/broker.ts';
import { fileFor } from '../../shell/web/static.ts';
import { createGate, refuseForeign, securityHeaders, type Gate, type Refusal } from './security.ts';
import { receiveUpload, sendFile, sendOffer } from './transfer.ts';

export interface WorkbenchServerOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** Folder of the built renderer. */
  readonly renderer: string;
  /** Where uploads are put. */
  readonly uploads: string;
  readonly router: Router;
  readonly bus: EventBus;
  readonly files: HostFileBroker;
  /** Hashes of inline style sheets the policy allows. */
  readonly styles: readonly string[];
}

export interface WorkbenchServer {
  readonly port: number;
  /** The address to open once, token included. */
  readonly url: string;
  close(): Promise<void>;
}

/** Largest request on the WebSocket: a pair set pasted as text fits many times. */
const MAX_MESSAGE_BYTES = 32 * 2 ** 20;
const MAX_SOCKETS = 16;

/**
 * Serves the renderer on the loopback address: files, uploads, downloads and the WebSocket, all behind the
 * session cookie. Errors: UserInputError `PORT_IN_USE`.
 */
export async function startServer(options: WorkbenchServerOptions): Promise<WorkbenchServer> {
  let port = options.port;
  const gate = createGate(() => port);
  const server = createServer((request, response) => {
    answer(options, gate, request, response).catch((error: unknown) => {
      fail(response, error);
    });
  });
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = refuseForeign(request, true) ?? refuseStranger(gate, request);
    const wrong = pathOf(request) !== '/rpc' || sockets.clients.size >= MAX_SOCKETS;
    if (refusal !== null || wrong) {
      socket.end(`HTTP/1.1 ${refusal?.status ?? 404} Refused\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      attachWebSocket(ws, options.router, options.bus);
    });
  });
  port = await listen(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${port}/?token=${gate.token}`,
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

async function answer(
  options: WorkbenchServerOptions,
  gate: Gate,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const headers = securityHeaders(request.headers.host ?? '', options.styles);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const foreign = refuseForeign(request, request.method === 'POST');
  if (foreign !== null) {
    refuse(response, foreign);
    return;
  }
  if (entered(gate, request, response, url)) return;
  const stranger = refuseStranger(gate, request);
  if (stranger === null) await serve(options, request, response, url);
  else refuse(response, stranger);
}

/** Lets in whoever brings the one-time token, or brings it again within the session. */
function entered(gate: Gate, request: IncomingMessage, response: ServerResponse, url: URL): boolean {
  const token = url.searchParams.get('token');
  if (request.method !== 'GET' || url.pathname !== '/' || token === null) return false;
  const cookie = gate.exchange(token);
  if (cookie === null && !gate.admits(request)) return false;
  enter(response, cookie);
  return true;
}

/** Answers a request of the session. */
async function serve(
  options: WorkbenchServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  if (request.method === 'POST' && url.pathname === '/upload') {
    const name = url.searchParams.get('name') ?? 'file';
    const handle = await receiveUpload(request, name, options.uploads, options.files);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    response.end(JSON.stringify(handle));
    return;
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    refuse(response, { status: 405, message: 'This method is not allowed.' });
    return;
  }
  const download = /^\/download\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (download !== undefined) {
    const offer = options.files.offered(download);
    if (offer === undefined)
      refuse(response, { status: 404, message: 'The download is no longer kept; export it again.' });
    else await sendOffer(response, offer);
    return;
  }
  if (url.pathname === '/favicon.ico') {
    response.writeHead(204).end();
    return;
  }
  const file = fileFor(options.renderer, url.pathname);
  if (file === null) refuse(response, { status: 404, message: 'There is nothing here.' });
  else await sendFile(response, file);
}

function refuseStranger(gate: Gate, request: IncomingMessage): Refusal | null {
  return gate.admits(request)
    ? null
    : { status: 401, message: 'Open the address that Engram printed; its token works once.' };
}

/**
 * Sets the cookie and goes on to the page by itself: after a redirect a strict cookie would be withheld
 * where the address was clicked in another site.
 */
function enter(response: ServerResponse, cookie: string | null): void {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    ...(cookie === null ? {} : { 'Set-Cookie': cookie }),
  });
  response.end('<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Engram</title>');
}

function refuse(response: ServerResponse, { status, message }: Refusal): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${message}\n`);
}

function fail(response: ServerResponse, error: unknown): void {
  const known = toEngramError(error);
  if (response.headersSent) response.destroy();
  else refuse(response, { status: known.kind === 'user' ? 400 : 500, message: known.toLine() });
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? '/', 'http://localhost').pathname;
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UserInputError(
              'PORT_IN_USE',
              `Port ${port} is in use.`,
              'Choose another with --port, or 0 for any.',
            )
          : error,
      );
    });
    server.listen(port, '127.0.0.1', () => {
      // A TCP server that listens has an address with a port.
      resolve((server.address() as AddressInfo).port);
    });
  });
}
