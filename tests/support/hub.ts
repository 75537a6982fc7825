import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { HubAccess } from '../../src/main/models/hub/index.ts';

/** A file as the hub keeps it; `lfs` ones are answered with a redirect to another host. */
export interface StoredFile {
  readonly content: Buffer;
  readonly lfs: boolean;
}

/** What a test changes about one answer; true = the answer was given. */
export type Interference = (request: IncomingMessage, response: ServerResponse, file: StoredFile) => boolean;

export interface HubServer {
  readonly access: HubAccess;
  readonly url: string;
  /** Every request: method, path, range and authorization. */
  readonly requests: { method: string; path: string; range: string | null; token: string | null }[];
  files: Map<string, StoredFile>;
  /** `gated` as the hub's model information says it; files are refused then. */
  gated: false | 'auto' | 'manual';
  /** Answers for the listing instead of the usual one. */
  onListing: ((response: ServerResponse) => boolean) | null;
  /** Answers for the content of a file, where its bytes come from. */
  onContent: Interference | null;
  /** Answers for `/resolve/…` before the redirect. */
  onResolve: Interference | null;
}

export const COMMIT = 'c0ffee00'.repeat(5);
const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const gitSha1 = (content: Buffer): string =>
  createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');

/**
 * A server that speaks the hub's protocol on this machine: `/api/models/…/revision/…?blobs=true`,
 * `/owner/name/resolve/COMMIT/FILE` with its headers and redirects, and a second origin for large files that
 * answers ranges.
 */
export async function hubServer(repo: string, files: Record<string, StoredFile>): Promise<HubServer> {
  const requests: HubServer['requests'] = [];
  const content = await listen((request, response) => {
    note(requests, request, 'store');
    const name = decodeURIComponent(new URL(request.url ?? '', 'http://x').pathname.split('/').at(-1) ?? '');
    const file = hub.files.get(name);
    if (file === undefined) return void response.writeHead(404).end();
    if (hub.onContent?.(request, response, file) === true) return;
    sendContent(request, response, file, `"${createHash('md5').update(file.content).digest('hex')}-1"`);
  });
  const main = await listen((request, response) => {
    note(requests, request, 'hub');
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const listing = /^\/api\/models\/(.+)\/revision\/([^/]+)$/.exec(pathname);
    if (listing !== null) {
      if (hub.onListing?.(response) === true) return;
      if (listing[1] !== repo) {
        refuse(response, 401, 'RepoNotFound', 'Invalid username or password.');
        return;
      }
      if (!['main', COMMIT].includes(listing[2] ?? '')) {
        refuse(response, 404, 'RevisionNotFound', 'Invalid rev id');
        return;
      }
      if (searchParams.get('blobs') !== 'true') {
        refuse(response, 400, '', 'the test lists with blobs');
        return;
      }
      response.setHeader('content-type', 'application/json');
      return void response.end(JSON.stringify(modelInfo(repo, hub)));
    }
    const resolve = new RegExp(`^/${repo}/resolve/([^/]+)/(.+)$`).exec(pathname);
    const file = hub.files.get(resolve?.[2] ?? '');
    if (resolve === null || resolve[1] !== COMMIT) {
      refuse(response, 404, 'RevisionNotFound', 'Invalid rev id');
      return;
    }
    if (file === undefined) {
      refuse(response, 404, 'EntryNotFound', 'Entry not found');
      return;
    }
    if (hub.gated !== false && request.headers.authorization === undefined) {
      refuse(response, 401, 'GatedRepo', 'Access to this model is restricted.');
      return;
    }
    response.setHeader('x-repo-commit', COMMIT);
    if (hub.onResolve?.(request, response, file) === true) return;
    if (!file.lfs) {
      sendContent(request, response, file, `"${gitSha1(file.content)}"`);
      return;
    }
    response.setHeader('x-linked-etag', `"${sha256(file.content)}"`);
    response.setHeader('x-linked-size', String(file.content.length));
    response.writeHead(302, { location: `${content}/blobs/${encodeURIComponent(resolve[2] ?? '')}` }).end();
  });
  const hub: HubServer = {
    access: { hub: main, token: null, idleMs: 2_000, retryMs: 1 },
    url: main,
    requests,
    files: new Map(Object.entries(files)),
    gated: false,
    onListing: null,
    onContent: null,
    onResolve: null,
  };
  return hub;
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function note(
  requests: HubServer['requests'],
  { method, url, headers }: IncomingMessage,
  host: string,
): void {
  requests.push({
    method: method ?? '',
    path: `${host}${url ?? ''}`,
    range: headers.range ?? null,
    token: headers.authorization ?? null,
  });
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response
    .writeHead(status, {
      'x-error-code': code,
      'x-error-message': message,
      'content-type': 'application/json',
    })
    .end(JSON.stringify({ error: message }));
}

function modelInfo(repo: string, { files, gated }: HubServer): object {
  return {
    _id: '621ffdc036468d709f17434d',
    id: repo,
    modelId: repo,
    sha: COMMIT,
    private: false,
    gated,
    siblings: [...files].map(([rfilename, { content, lfs }]) => ({
      rfilename,
      size: content.length,
      blobId: lfs ? 'a'.repeat(40) : gitSha1(content),
      ...(lfs ? { lfs: { sha256: sha256(content), size: content.length, pointerSize: 134 } } : {}),
    })),
  };
}

/** The content, or the range asked for. */
function sendContent(
  request: IncomingMessage,
  response: ServerResponse,
  file: StoredFile,
  etag: string,
): void {
  const { content } = file;
  const from = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  response.setHeader('etag', etag);
  response.setHeader('accept-ranges', 'bytes');
  if (from === undefined)
    return void response.writeHead(200, { 'content-length': content.length }).end(content);
  const start = Number(from);
  if (start >= content.length) {
    return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  }
  response
    .writeHead(206, {
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
      'content-length': content.length - start,
    })
    .end(content.subarray(start));
}

/** Sends the first part of what is asked for as if all of it came, and breaks the connection once `part` holds it. */
export function breakOffAfter(bytes: number, part: string): Interference {
  return (request, response, { content }) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      ...(start > 0 ? { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` } : {}),
    });
    response.write(content.subarray(start, start + bytes));
    destroyWhen(response, part, Math.min(start + bytes, content.length));
    return true;
  };
}

/** What a reader has not taken when a connection breaks is lost, so the break waits until the bytes are on disk. */
export function destroyWhen(response: ServerResponse, part: string, bytes: number): void {
  const timer = setInterval(() => {
    if ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < bytes) return;
    clearInterval(timer);
    response.destroy();
  }, 2);
  response.on('close', () => clearInterval(timer));
}
