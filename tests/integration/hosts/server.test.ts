import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { safeName } from '../../../src/main/hosts/http/transfer.ts';
import { startServer, type WorkbenchServer } from '../../../src/main/hosts/http/server.ts';
import { EventBus, type Router } from '../../../src/main/ipc/index.ts';
import { createFileBroker } from '../../../src/main/services/files/broker.ts';

const router: Router = {
  call: (_service, _method, input) => Promise.resolve(input),
  handle: (message) => Promise.resolve({ id: 1, ok: true as const, output: message }),
};

let folder: string;
let server: WorkbenchServer;
let bus: EventBus;
let files: ReturnType<typeof createFileBroker>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'engram-server-'));
  mkdirSync(join(folder, 'renderer', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'renderer', 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'renderer', 'assets', 'app-1a2b3c4d.js'), 'export {}');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  bus = new EventBus();
  files = createFileBroker();
  const uploads = join(folder, 'uploads');
  server = await startServer({
    port: 0,
    renderer: join(folder, 'renderer'),
    uploads,
    router,
    bus,
    files,
    styles: [],
  });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A raw request: `fetch` would not let a test set Host and Origin. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', body = ''): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: server.port, path, method, headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

async function enter(): Promise<string> {
  const { search } = new URL(server.url);
  const reply = await ask(`/${search}`);
  return String(reply.headers['set-cookie']?.[0]).split(';')[0] ?? '';
}

function socket(headers: Record<string, string>): Promise<WebSocket | number> {
  return new Promise((resolve) => {
    const ws = new WebSocket(`ws://127.0.0.1:${server.port}/rpc`, { headers });
    ws.on('open', () => {
      resolve(ws);
    });
    ws.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      ws.terminate();
    });
    ws.on('error', () => undefined);
  });
}

describe('the door', () => {
  it('exchanges the token once for a strict, script-proof cookie', async () => {
    const { search } = new URL(server.url);
    const first = await ask(`/${search}`);
    expect(first.status).toBe(200);
    expect(first.headers['set-cookie']?.[0]).toMatch(
      /^engram_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const second = await ask(`/${search}`);
    expect(second.status).toBe(401);
    expect(second.headers['set-cookie']).toBeUndefined();
  });

  it.each(['/', '/index.html', '/?token=wrong', '/download/x', '/assets/app-1a2b3c4d.js'])(
    'keeps %s from those without a session',
    async (path) => {
      expect((await ask(path)).status).toBe(401);
    },
  );

  it('refuses another Host (DNS rebinding), another Origin and a cross-site fetch', async () => {
    const Cookie = await enter();
    expect((await ask('/', { Cookie })).status).toBe(200);
    expect((await ask('/', { Cookie, Host: 'evil.example' })).status).toBe(403);
    expect((await ask('/', { Cookie, Host: `evil.example:${server.port}` })).status).toBe(403);
    expect((await ask('/', { Cookie, Origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask('/', { Cookie, 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    const origin = { Origin: `http://127.0.0.1:${server.port}` };
    expect((await ask('/upload?name=a', { Cookie }, 'POST', 'x')).status).toBe(403);
    expect((await ask('/upload?name=a', origin, 'POST', 'x')).status).toBe(401);
  });

  it('works through a tunnel whose near end has another port', async () => {
    const Cookie = await enter();
    expect((await ask('/', { Cookie, Host: 'localhost:9999', Origin: 'http://localhost:9999' })).status).toBe(
      200,
    );
  });

  it('opens the WebSocket to a session of the same origin only', async () => {
    const Cookie = await enter();
    const Origin = `http://127.0.0.1:${server.port}`;
    expect(await socket({ Origin })).toBe(401);
    expect(await socket({ Cookie })).toBe(403);
    expect(await socket({ Cookie, Origin: 'http://evil.example' })).toBe(403);
    const ws = await socket({ Cookie, Origin });
    if (typeof ws === 'number') throw new Error(`refused with ${ws}`);
    const answers: string[] = [];
    const two = new Promise<void>((resolve) => {
      ws.on('message', (data: Buffer) => {
        answers.push(data.toString('utf8'));
        if (answers.length === 2) resolve();
        else bus.emit('changed', { what: 'pairs' });
      });
    });
    ws.send('{"hello":1}');
    await two;
    expect(answers).toEqual([
      '{"id":1,"ok":true,"output":{"hello":1}}',
      '{"event":"changed","payload":{"what":"pairs"}}',
    ]);
    ws.terminate();
  });
});

describe('what it serves', () => {
  it('sends the page under a strict policy, and allows no other site anything', async () => {
    const reply = await ask('/', { Cookie: await enter() });
    expect(reply.body).toContain('<title>page</title>');
    const policy = String(reply.headers['content-security-policy']);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("object-src 'none'");
    expect(policy).toContain(`connect-src 'self' ws://127.0.0.1:${server.port}`);
    expect(policy).not.toContain('unsafe-eval');
    expect(reply.headers['access-control-allow-origin']).toBeUndefined();
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
  });

  it.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/%00', '/%zz', '/none.js'])(
    'finds nothing at %s',
    async (path) => {
      expect((await ask(path, { Cookie: await enter() })).status).toBe(404);
    },
  );

  it('keeps hashed assets and never the page', async () => {
    const Cookie = await enter();
    expect((await ask('/assets/app-1a2b3c4d.js', { Cookie })).headers['cache-control']).toContain(
      'immutable',
    );
    expect((await ask('/', { Cookie })).headers['cache-control']).toBe('no-store');
  });

  it('streams an upload to a handle whose name cannot climb', async () => {
    const headers = { Cookie: await enter(), Origin: `http://127.0.0.1:${server.port}` };
    const name = encodeURIComponent('../../a\u0001b.csv');
    const reply = await ask(`/upload?name=${name}`, headers, 'POST', 'PMID\n1\n');
    const handle = JSON.parse(reply.body) as { handle: string; name: string; bytes: number };
    expect(handle).toMatchObject({ name: 'a_b.csv', bytes: 7 });
    expect(readFileSync(files.resolve(handle.handle), 'utf8')).toBe('PMID\n1\n');
    expect(reply.body).not.toContain(folder);
  });

  it('offers downloads as attachments under ids that cannot be guessed', async () => {
    const Cookie = await enter();
    const bytes = new TextEncoder().encode('<script>');
    const { url } = files.offerDownload({ content: { bytes }, name: 'r"é.html', mime: 'text/html' });
    const reply = await ask(url, { Cookie });
    expect(reply.body).toBe('<script>');
    expect(reply.headers['content-disposition']).toBe("attachment; filename*=UTF-8''r_%C3%A9.html");
    expect((await ask('/download/nothing', { Cookie })).status).toBe(404);
  });

  it('names a port in use', async () => {
    const again = { port: server.port, renderer: folder, uploads: folder, router, bus, files, styles: [] };
    await expect(startServer(again)).rejects.toMatchObject({ code: 'PORT_IN_USE' });
  });
});

describe('safeName', () => {
  it.each([
    ['C:\\data\\x.xml', 'x.xml'],
    ['.hidden', '_hidden'],
    ['a/b/..', '_'],
    ['', 'file'],
    ['con<>|?.csv', 'con____.csv'],
  ])('%j becomes %j', (given, safe) => {
    expect(safeName(given)).toBe(safe);
  });
});
