import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fetchHubModel,
  hubListing,
  listHubModel,
  requireSpace,
} from '../../../../src/main/models/hub/index.ts';
import { CancelledError } from '../../../../src/shared/errors/index.ts';
import type { HubManifest } from '../../../../src/shared/domain/index.ts';
import { breakOffAfter, destroyWhen, hubServer, type HubServer } from '../../../support/hub.ts';
import { tempFolder } from '../../../support/store.ts';

const CONFIG = Buffer.from(
  JSON.stringify({ model_type: 'gpt2', n_layer: 1, n_head: 1, n_embd: 4, n_positions: 8, vocab_size: 5 }),
);
const WEIGHTS = randomBytes(300_000);

interface Setup {
  readonly hub: HubServer;
  readonly manifest: HubManifest;
  readonly folder: string;
  readonly log: string[];
  readonly seen: { bytes: number; message: string }[];
  readonly fetch: (signal?: AbortSignal) => Promise<{ fetchedBytes: number }>;
}

async function setup(): Promise<Setup> {
  const hub = await hubServer('o/n', {
    'config.json': { content: CONFIG, lfs: false },
    'tokenizer.json': { content: Buffer.from('{"model":{}}'), lfs: false },
    'model.safetensors': { content: WEIGHTS, lfs: true },
  });
  const signal = new AbortController().signal;
  const manifest = await listHubModel(hub.access, 'o/n', 'main', signal);
  const folder = join(tempFolder(), 'models', 'n');
  const log: string[] = [];
  const seen: Setup['seen'] = [];
  hub.requests.length = 0;
  return {
    hub,
    manifest,
    folder,
    log,
    seen,
    fetch: (given = signal) =>
      fetchHubModel(hub.access, manifest, folder, {
        signal: given,
        progress: (bytes, message) => seen.push({ bytes, message }),
        log: (line) => log.push(line),
      }),
  };
}

const weightsOf = (folder: string): Buffer => readFileSync(join(folder, 'model.safetensors'));
const partOf = (folder: string): string => join(folder, 'model.safetensors.part');
const ranges = (hub: HubServer): (string | null)[] =>
  hub.requests.filter(({ path }) => path.startsWith('store')).map(({ range }) => range);

describe('fetching a model', () => {
  it('brings every file, verified, and leaves nothing else', async () => {
    const { hub, folder, manifest, log, seen, fetch } = await setup();
    await expect(fetch()).resolves.toEqual({ fetchedBytes: CONFIG.length + 12 + WEIGHTS.length });
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
    expect(log.join('\n')).toMatch(/config\.json: verified, git SHA-1/);
    expect(log.join('\n')).toMatch(/model\.safetensors: verified, SHA-256/);
    expect(seen.at(-1)?.bytes).toBe((await hubListing(manifest, folder)).totalBytes);
    expect(hub.requests[0]?.path).toContain('config.json');
    // Pinned to the commit that was listed.
    for (const { path } of hub.requests.filter((r) => r.path.startsWith('hub')))
      expect(path).toContain(manifest.commit);
  });

  it('needs no network where everything is here, and verifies it all the same', async () => {
    const { hub, folder, fetch } = await setup();
    await fetch();
    hub.requests.length = 0;
    await expect(fetch()).resolves.toEqual({ fetchedBytes: 0 });
    expect(hub.requests).toEqual([]);
    const damaged = Buffer.from(WEIGHTS);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    writeFileSync(join(folder, 'model.safetensors'), damaged);
    await expect(fetch()).rejects.toMatchObject({
      code: 'HUB_FILE_DIFFERS',
      message: expect.stringContaining('model.safetensors') as string,
    });
    expect(weightsOf(folder).equals(damaged)).toBe(true);
  });

  it('goes on where a broken connection ended', async () => {
    const { hub, folder, fetch, log } = await setup();
    let breaks = 3;
    hub.onContent = (...all) => (breaks-- > 0 ? breakOffAfter(70_000, partOf(folder))(...all) : false);
    await fetch();
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
    const asked = ranges(hub).map((range) => Number(/\d+/.exec(range ?? '0')?.[0] ?? 0));
    expect(asked).toHaveLength(4);
    expect(asked[0]).toBe(0);
    asked.slice(1).forEach((at, i) => expect(at).toBeGreaterThan(asked[i] ?? 0));
    expect(log.join('\n')).toContain('trying again');
  });

  it('gives up after tries that bring nothing, and keeps what came', async () => {
    const { hub, folder, manifest, fetch } = await setup();
    let first = true;
    hub.onContent = (request, response, file) => {
      if (first) {
        first = false;
        return breakOffAfter(100_000, partOf(folder))(request, response, file);
      }
      response.destroy();
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ kind: 'engine', code: 'HUB_UNREACHABLE' });
    const { files } = await hubListing(manifest, folder);
    expect(files.find(({ name }) => name === 'model.safetensors')?.here).toBeGreaterThan(50_000);
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);
  });

  it('ends at once when cancelled in a trickle, and goes on later from there', async () => {
    const { hub, folder, fetch, seen } = await setup();
    hub.onContent = (_request, response, { content }) => {
      response.writeHead(200, { 'content-length': content.length });
      let at = 0;
      const timer = setInterval(() => response.write(content.subarray(at, (at += 1000))), 2);
      response.on('close', () => clearInterval(timer));
      return true;
    };
    const user = new AbortController();
    const running = fetch(user.signal);
    while (!seen.some(({ bytes, message }) => message === 'model.safetensors' && bytes > 5000)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    user.abort(new CancelledError('The download'));
    await expect(running).rejects.toMatchObject({ kind: 'cancelled' });
    expect(existsSync(join(folder, 'model.safetensors.part'))).toBe(true);
    hub.onContent = null;
    hub.requests.length = 0;
    const { fetchedBytes } = await fetch();
    expect(fetchedBytes).toBeLessThan(WEIGHTS.length);
    expect(ranges(hub)[0]).toMatch(/^bytes=[1-9]\d*-$/);
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
  });

  it('breaks off a connection that went silent, and tries again', async () => {
    const { hub, folder, log, manifest } = await setup();
    hub.onContent = (_request, response, { content }) => {
      hub.onContent = null;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 1000));
      return true;
    };
    await fetchHubModel({ ...hub.access, idleMs: 50 }, manifest, folder, {
      signal: new AbortController().signal,
      progress: () => undefined,
      log: (line) => log.push(line),
    });
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
  });

  it.each([
    [
      'a server without ranges',
      (hub: HubServer) => {
        hub.onContent = (_request, response, { content }) => {
          response.writeHead(200, { 'content-length': content.length }).end(content);
          return true;
        };
      },
    ],
    [
      'a range that is not accepted',
      (hub: HubServer) => {
        hub.onContent = (request, response) => {
          if (request.headers.range === undefined) return false;
          response.writeHead(416, { 'content-range': 'bytes */10' }).end();
          return true;
        };
      },
    ],
    [
      'another range than asked for',
      (hub: HubServer) => {
        hub.onContent = (request, response, { content }) => {
          if (request.headers.range === undefined) return false;
          response
            .writeHead(206, { 'content-range': `bytes 0-9/${content.length}` })
            .end(content.subarray(0, 10));
          return true;
        };
      },
    ],
  ])('begins anew at %s', async (_name, change) => {
    const { hub, folder, fetch } = await setup();
    hub.onContent = (request, response, file) => {
      change(hub);
      return breakOffAfter(100_000, partOf(folder))(request, response, file);
    };
    await fetch();
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
  });

  it('begins anew when the server’s name for the content changed in between', async () => {
    const { hub, folder, manifest, fetch } = await setup();
    mkdirSync(folder, { recursive: true });
    // A small file without a checksum in its name: only the tag tells that it is another.
    hub.onResolve = (request, response, file) => {
      if (file.lfs || file.content.equals(CONFIG)) return false;
      const start = Number(/\d+/.exec(request.headers.range ?? '0')?.[0] ?? 0);
      response.writeHead(start > 0 ? 206 : 200, {
        etag: start > 0 ? '"second"' : '"first"',
        'content-length': file.content.length - start,
        ...(start > 0
          ? { 'content-range': `bytes ${start}-${file.content.length - 1}/${file.content.length}` }
          : {}),
      });
      if (hub.requests.filter(({ path }) => path.endsWith('tokenizer.json')).length === 1) {
        response.write(file.content.subarray(0, 5));
        destroyWhen(response, join(folder, 'tokenizer.json.part'), 5);
      } else response.end(file.content.subarray(start));
      return true;
    };
    await fetch();
    const asked = hub.requests
      .filter(({ path }) => path.endsWith('tokenizer.json'))
      .map(({ range }) => range);
    expect(asked).toEqual([null, 'bytes=5-', null]);
    expect(readFileSync(join(folder, 'tokenizer.json'), 'utf8')).toBe('{"model":{}}');
    expect(manifest.files).toHaveLength(3);
  });

  it('refuses a file that is no longer the one that was listed', async () => {
    const { hub, fetch } = await setup();
    hub.files.set('model.safetensors', { content: randomBytes(300_000), lfs: true });
    await expect(fetch()).rejects.toMatchObject({
      code: 'HUB_FILE_CHANGED',
      message: expect.stringContaining('model.safetensors') as string,
    });
  });

  it('gives no name to wrong bytes', async () => {
    const { hub, folder, fetch } = await setup();
    hub.onContent = (_request, response, { content }) => {
      const wrong = Buffer.from(content);
      wrong[5] = (wrong[5] ?? 0) ^ 255;
      response.writeHead(200, { 'content-length': wrong.length }).end(wrong);
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({
      kind: 'format',
      code: 'HUB_CHECKSUM',
      message: expect.stringMatching(/model\.safetensors.*SHA-256/) as string,
    });
    expect(existsSync(join(folder, 'model.safetensors'))).toBe(false);
    expect(hub.requests.filter(({ path }) => path.startsWith('store'))).toHaveLength(1);
  });

  it('fetches once more when the bytes of an earlier attempt were damaged on disk', async () => {
    const { hub, folder, fetch, log } = await setup();
    hub.onContent = (request, response, file) => {
      hub.onContent = (_request, later) => {
        later.destroy();
        return true;
      };
      return breakOffAfter(100_000, partOf(folder))(request, response, file);
    };
    await expect(fetch()).rejects.toMatchObject({ code: 'HUB_UNREACHABLE' });
    const part = join(folder, 'model.safetensors.part');
    const bytes = readFileSync(part);
    bytes[17] = (bytes[17] ?? 0) ^ 1;
    writeFileSync(part, bytes);
    hub.onContent = null;
    await fetch();
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
    expect(log.join('\n')).toContain('does not match its checksum');
  });

  it('stops at a file that grows beyond its size', async () => {
    const { hub, fetch } = await setup();
    hub.onContent = (_request, response, { content }) => {
      response.writeHead(200);
      response.end(Buffer.concat([content, randomBytes(1000)]));
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ code: 'HUB_ANSWER_INVALID' });
  });

  it('waits as long as the hub asks', async () => {
    const { hub, folder, fetch, log, seen } = await setup();
    let refusals = 2;
    hub.onResolve = (_request, response, file) => {
      if (!file.lfs || refusals-- <= 0) return false;
      response.writeHead(429, { 'retry-after': '0' }).end();
      return true;
    };
    await fetch();
    expect(weightsOf(folder).equals(WEIGHTS)).toBe(true);
    expect(log.filter((line) => line.includes('the hub asks to wait'))).toHaveLength(2);
    expect(seen.some(({ message }) => message.includes('asks to wait'))).toBe(true);
  });

  it('says how to get a gated model, and sends the token to the hub alone', async () => {
    const { hub, manifest, folder, fetch } = await setup();
    hub.gated = 'manual';
    await expect(fetch()).rejects.toMatchObject({
      kind: 'user',
      code: 'HUB_GATED',
      next: expect.stringContaining(`${hub.url}/o/n`) as string,
    });
    hub.requests.length = 0;
    await fetchHubModel({ ...hub.access, token: 'secret' }, manifest, folder, {
      signal: new AbortController().signal,
      progress: () => undefined,
      log: () => undefined,
    });
    for (const { path, token } of hub.requests)
      expect(token).toBe(path.startsWith('hub') ? 'Bearer secret' : null);
    expect(hub.requests.some(({ path }) => path.startsWith('store'))).toBe(true);
  });

  it('fetches no weights of a model that Engram cannot run', async () => {
    const { hub, folder } = await setup();
    hub.files.set('config.json', { content: Buffer.from('{"model_type":"bert"}'), lfs: false });
    const signal = new AbortController().signal;
    const manifest = await listHubModel(hub.access, 'o/n', 'main', signal);
    hub.requests.length = 0;
    await expect(
      fetchHubModel(hub.access, manifest, folder, {
        signal,
        progress: () => undefined,
        log: () => undefined,
      }),
    ).rejects.toMatchObject({ code: 'MODEL_FAMILY_UNKNOWN' });
    expect(hub.requests.map(({ path }) => path).join()).not.toContain('safetensors');
  });

  it('checks the room on the disk first, with both numbers', async () => {
    const folder = tempFolder();
    await expect(
      requireSpace('o/n', [
        { folder, bytes: 6e17 },
        { folder: join(folder, 'study'), bytes: 4e17 },
      ]),
    ).rejects.toMatchObject({
      code: 'DISK_SPACE',
      message: expect.stringMatching(/1000000000\.00 GB on the disk of .*; [\d.]+ [GM]B are free/) as string,
    });
    await expect(
      requireSpace('o/n', [{ folder: join(folder, 'not', 'yet'), bytes: 1 }]),
    ).resolves.toBeUndefined();
  });

  it('fills a folder once at a time, and takes over from a process that is gone', async () => {
    const { folder, fetch } = await setup();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, '.engram-fetch'), String(process.pid));
    await expect(fetch()).rejects.toMatchObject({ code: 'HUB_FETCH_RUNNING' });
    writeFileSync(join(folder, '.engram-fetch'), '999999999');
    await expect(fetch()).resolves.toBeDefined();
  });
});
