import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  efetch,
  esearch,
  eutilsAccess,
  listSlices,
  type Slice,
  wholeSlice,
} from '../../../../src/main/importers/eutils/index.ts';
import {
  articleSet,
  eutilsServer,
  heldArticles,
  type Interference,
  linkTo,
} from '../../../support/eutils.ts';

const answer =
  (status: number, body: string, headers: Record<string, string> = {}): Interference =>
  (response) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
const HTML = '<!DOCTYPE html><html><head><title>NCBI - WWW Error Blocked Diagnostic</title></head></html>';
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );

describe('esearch', () => {
  test('gives count, translation and PMIDs, and sends everything in the body', async () => {
    const server = await eutilsServer(heldArticles(30));
    const link = linkTo(server);
    const key = 'SECRETKEY1';
    const found = await esearch({ ...link, access: { ...link.access, key } }, 'epilepsy', null, 12);
    expect(found).toMatchObject({ count: 30, translation: '"epilepsy"[All Fields]', warnings: [] });
    expect(found.pmids).toHaveLength(12);
    const [asked] = server.asked;
    expect(asked?.url).toBe('/entrez/eutils/esearch.fcgi');
    expect(Object.fromEntries(asked?.fields ?? [])).toMatchObject({
      tool: 'engram',
      email: 'someone@example.org',
      api_key: key,
      term: 'epilepsy',
    });
  });

  test('an honest zero is an answer, with what was not found', async () => {
    const server = await eutilsServer(heldArticles(3));
    const found = await esearch(linkTo(server), 'zzznothing', null, 9_999);
    expect(found.count).toBe(0);
    expect(found.warnings).toContain('“zzznothing” was not found.');
  });

  const passing: readonly (readonly [string, Interference])[] = [
    ['429 with Retry-After', answer(429, '{"error":"API rate limit exceeded"}', { 'retry-after': '0' })],
    ['the rate limit with status 200', answer(200, '{"error":"API rate limit exceeded","count":"4"}')],
    ['502', answer(502, '<html>Bad gateway</html>')],
    ['HTML with status 200', answer(200, HTML)],
    ['nothing at all', answer(200, '')],
    ['a list that breaks off', answer(200, '{"header":{},"esearchresult":{"count":"30","idlist":["1",')],
    ['fewer PMIDs than counted', answer(200, '{"esearchresult":{"count":"30","idlist":["1","2"]}}')],
    [
      'an error of the backend with raw line breaks inside its string',
      answer(200, '{"esearchresult":{"ERROR":"Search Backend failed: Exception:\n\tConnection reset"}}'),
    ],
    [
      'a connection that breaks',
      (response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"esearch', () => response.destroy());
        return true;
      },
    ],
    [
      'silence',
      (response) => {
        response.writeHead(200);
        response.write('{"esearch');
        return true;
      },
    ],
    [
      'a trickle that never ends',
      (response) => {
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
        return true;
      },
    ],
  ];
  test.each(passing)('%s passes: asked again, it answers', async (_name, interference) => {
    const server = await eutilsServer(heldArticles(30));
    server.interferences.push(interference);
    const waits: string[] = [];
    const found = await esearch(linkTo(server, { tell: (m) => waits.push(m) }), 'epilepsy', null, 9_999);
    expect(found.count).toBe(30);
    expect(found.pmids).toHaveLength(30);
    expect(server.asked).toHaveLength(2);
    expect(waits).toHaveLength(1);
  });

  const lasting: readonly (readonly [string, Interference, string, number])[] = [
    ['HTML', answer(200, HTML), 'PUBMED_ANSWER_INVALID', 4],
    ['500', answer(500, 'x'), 'PUBMED_FAILED', 4],
    ['429', answer(429, '{}'), 'PUBMED_BUSY', 4],
    ['a rest longer than anyone waits', answer(429, '{}', { 'retry-after': '86400' }), 'PUBMED_BUSY', 1],
    ['a refused key', answer(400, '{"error":"API key invalid","api-key":"x"}'), 'PUBMED_KEY_INVALID', 1],
    [
      'a refused query',
      answer(200, '{"esearchresult":{"ERROR":"Empty term and query_key - nothing todo"}}'),
      'PUBMED_REFUSED',
      1,
    ],
  ];
  test.each(lasting)(
    '%s that stays is an error, never zero results',
    async (_name, interference, code, tries) => {
      const server = await eutilsServer(heldArticles(3));
      server.always = interference;
      expect(await codeOf(esearch(linkTo(server), 'epilepsy', null, 9_999))).toBe(code);
      expect(server.asked).toHaveLength(tries);
    },
  );

  test('honours Retry-After for every request of the application', async () => {
    const server = await eutilsServer(heldArticles(3));
    server.interferences.push(answer(429, '{}', { 'retry-after': '0' }));
    const rests: number[] = [];
    const limit = { pass: () => Promise.resolve(), rest: (ms: number) => rests.push(ms) };
    await esearch(linkTo(server, { limit }), 'epilepsy', null, 10);
    expect(rests).toEqual([0]);
  });

  test('offline is a sentence', async () => {
    const closed = createServer().listen(0);
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const asking = esearch(linkTo({ url: `http://127.0.0.1:${port}/` }), 'epilepsy', null, 0);
    await expect(asking).rejects.toMatchObject({
      code: 'PUBMED_UNREACHABLE',
      message: expect.stringContaining('cannot be reached') as string,
      next: expect.stringContaining('works without a network') as string,
    });
  });

  test('ends at once when stopped', async () => {
    const server = await eutilsServer([]);
    const abort = new AbortController();
    server.always = () => {
      abort.abort(new Error('stopped'));
      return true;
    };
    await expect(esearch(linkTo(server, { signal: abort.signal }), 'x', null, 0)).rejects.toThrow('stopped');
  });
});

describe('slices', () => {
  async function collect(
    articles: ReturnType<typeof heldArticles>,
    done: (s: Slice) => boolean = () => false,
  ) {
    const server = await eutilsServer(articles);
    const slices = [];
    const whole = wholeSlice(new Date('2026-01-01'));
    for await (const slice of listSlices(linkTo(server), 'epilepsy', whole, done)) slices.push(slice);
    return { slices, server };
  }

  test('lists a small search in one request', async () => {
    const { slices, server } = await collect(heldArticles(500));
    expect(slices).toHaveLength(1);
    expect(server.asked).toHaveLength(1);
  });

  test('lists every article past the ceiling once, by days', async () => {
    const articles = heldArticles(35_000);
    const { slices } = await collect(articles);
    const pmids = slices.flatMap((s) => s.pmids);
    expect(new Set(pmids).size).toBe(35_000);
    expect(pmids).toHaveLength(35_000);
    expect(slices.every((s) => s.count === s.pmids.length && s.count <= 9_999)).toBe(true);
  });

  test('halves a day above the ceiling by PMID', async () => {
    const { slices, server } = await collect(heldArticles(25_000, 25_000));
    expect(new Set(slices.flatMap((s) => s.pmids)).size).toBe(25_000);
    expect(server.asked.some((a) => /AND \d+:\d+\[UID\]$/.test(a.fields.get('term') ?? ''))).toBe(true);
  });

  test('leaves out what an earlier attempt listed', async () => {
    const first = await collect(heldArticles(25_000));
    const known = new Set(first.slices.slice(0, 2).map((s) => `${s.slice.from} ${s.slice.to}`));
    const second = await collect(heldArticles(25_000), (s) => known.has(`${s.from} ${s.to}`));
    expect(second.slices).toEqual(first.slices.slice(2));
  });

  test('a server that counts more than a ceiling under one PMID is not believed', async () => {
    const server = await eutilsServer([]);
    const ids = JSON.stringify(Array.from({ length: 9_999 }, (_, i) => String(i + 1)));
    server.always = answer(200, `{"esearchresult":{"count":"20000","idlist":${ids}}}`);
    const listing = () => listSlices(linkTo(server), 'x', wholeSlice(), () => false).next();
    expect(await codeOf(listing())).toBe('PUBMED_ANSWER_INVALID');
  });
});

describe('efetch', () => {
  const PMIDS = ['1', '2', '3'];

  test('gives articles and names those that are missing', async () => {
    const articles = heldArticles(3).map((a) => (a.pmid === 2 ? { ...a, gone: true } : a));
    const server = await eutilsServer(articles);
    const { items, missing } = await efetch(linkTo(server), PMIDS);
    expect(items.map((i) => (i.type === 'record' ? i.record.pmid : null))).toEqual(['1', '3']);
    expect(missing).toEqual(['2']);
    expect(server.asked[0]?.fields.get('id')).toBe('1,2,3');
  });

  const bad: readonly (readonly [string, string])[] = [
    ['HTML with status 200', HTML],
    [
      'an ERROR element',
      '<?xml version="1.0"?><eFetchResult><ERROR>Cannot process query</ERROR></eFetchResult>',
    ],
    ['truncated XML', articleSet([1, 2, 3]).slice(0, -40)],
    ['XML cut inside an article', articleSet([1, 2, 3]).slice(0, 900)],
    ['an article that was not asked for', articleSet([1, 2, 77])],
    ['JSON', '{"error":"API rate limit exceeded"}'],
    ['nothing', ''],
  ];
  test.each(bad)('%s is asked for again', async (_name, body) => {
    const server = await eutilsServer(heldArticles(3));
    server.interferences.push(answer(200, body));
    const { items, missing } = await efetch(linkTo(server), PMIDS);
    expect([items.length, missing.length, server.asked.length]).toEqual([3, 0, 2]);
  });

  test.each(bad)('%s that stays is an error', async (_name, body) => {
    const server = await eutilsServer(heldArticles(3));
    server.always = answer(200, body);
    expect(await codeOf(efetch(linkTo(server), PMIDS))).toMatch(/^PUBMED_(?:ANSWER_INVALID|FAILED)$/);
  });
});

describe('access', () => {
  test('needs an e-mail address; the environment stands before the setting', () => {
    expect(() => eutilsAccess({ email: '', key: null }, {})).toThrow(/e-mail/);
    expect(() => eutilsAccess({ email: 'nobody', key: null }, {})).toThrow(/e-mail/);
    const env = { ENGRAM_PUBMED_EMAIL: 'env@example.org', ENGRAM_PUBMED_URL: 'http://localhost:9/x' };
    expect(eutilsAccess({ email: 'set@example.org', key: 'k' }, env)).toEqual({
      base: 'http://localhost:9/x/',
      tool: 'engram',
      email: 'env@example.org',
      key: 'k',
    });
    expect(eutilsAccess({ email: 'a@b.org', key: null }, {}).base).toBe(
      'https://eutils.ncbi.nlm.nih.gov/entrez/eutils/',
    );
    expect(() => eutilsAccess({ email: 'a@b', key: null }, { ENGRAM_PUBMED_URL: 'ftp://x' })).toThrow(
      /address/,
    );
  });
});
