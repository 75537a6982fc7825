import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pubmedJob } from '../../../src/main/jobs/pubmed.ts';
import { jobsWith } from '../../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../../src/main/jobs/runner.ts';
import { openStudy, type Study } from '../../../src/main/store/index.ts';
import { noCompute } from '../../support/compute.ts';
import { articleSet, type EutilsServer, eutilsServer, heldArticles, linkTo } from '../../support/eutils.ts';
import { tempFolder, tempStudy } from '../../support/store.ts';

function queueOf(study: Study, server: EutilsServer) {
  const job = pubmedJob((signal, tell) => linkTo(server, { signal, tell }));
  const queue = createJobQueue({
    study,
    registry: jobsWith(job),
    compute: noCompute(),
    emit: () => undefined,
  });
  return { queue, start: (query: string) => queue.start(job, { query }) };
}

const fetches = (server: EutilsServer) => server.asked.filter((a) => a.program === 'efetch.fcgi');

describe('a PubMed search', () => {
  test('imports every article, names the missing, and stores where all came from', async () => {
    const articles = heldArticles(450).map((a) => ([7, 300].includes(a.pmid) ? { ...a, gone: true } : a));
    const server = await eutilsServer(articles);
    const study = tempStudy();
    const { queue, start } = queueOf(study, server);
    const { job, result } = await queue.wait(start('epilepsy AND "sharp waves"').id);
    expect(result).toMatchObject({ read: 448, added: 448, duplicates: 0, rejected: 0, missing: 2 });
    expect(job.summary).toContain('2 listed by PubMed but not given');
    const [source] = study.sources.list();
    expect(source).toMatchObject({ kind: 'pubmed-search', status: 'complete', read: 448 });
    expect(study.pubmed.summary(source!.id)).toMatchObject({
      query: 'epilepsy AND "sharp waves"',
      translation: '"epilepsy AND "sharp waves""[All Fields]',
      count: 450,
      listed: 450,
      fetched: 448,
      missing: 2,
      slices: 1,
    });
    expect(study.pubmed.next(source!.id, 'missing', 10)).toEqual(['7', '300']);
    // Three batches, and one more for what was absent, beside an article known to come.
    expect(fetches(server)).toHaveLength(4);
    expect(fetches(server).at(-1)?.fields.get('id')).toBe('7,300,1');
    expect(study.curation.flow()).toMatchObject({ read: 448, screened: 448 });
  });

  test('again, it adds nothing', async () => {
    const server = await eutilsServer(heldArticles(60));
    const study = tempStudy();
    const { queue, start } = queueOf(study, server);
    await queue.wait(start('epilepsy').id);
    const { result } = await queue.wait(start('epilepsy').id);
    expect(result).toMatchObject({ read: 60, added: 0, duplicates: 60 });
    expect(study.records.count()).toBe(60);
  });

  test('that finds nothing is complete, with nothing', async () => {
    const server = await eutilsServer(heldArticles(60));
    const study = tempStudy();
    const { queue, start } = queueOf(study, server);
    const { result } = await queue.wait(start('zzznothing').id);
    expect(result).toMatchObject({ read: 0, added: 0, missing: 0 });
    expect(fetches(server)).toHaveLength(0);
  });

  test('whose count changes between two slices stores what was listed and says so', async () => {
    const server = await eutilsServer(heldArticles(10_400));
    server.always = (response, { program, fields }) => {
      if (program === 'efetch.fcgi') {
        const pmids = (fields.get('id') ?? '').split(',').map(Number);
        response.end(articleSet(pmids));
        return true;
      }
      // After the first count one more article comes in.
      if (server.asked.length === 3) server.articles = heldArticles(10_401);
      return false;
    };
    const study = tempStudy();
    const { queue, start } = queueOf(study, server);
    const { job, result } = await queue.wait(start('epilepsy').id);
    expect(result).toMatchObject({ added: 10_401 });
    expect(queue.log(job.id).map((l) => l.line)).toContain(
      '10,401 PMIDs are listed; 10,400 matched at first.',
    );
  }, 60_000);

  test('that only gets empty sets fails, keeps its PMIDs, and continues when told to', async () => {
    const server = await eutilsServer(heldArticles(900));
    server.always = (response, { program }) => {
      if (program === 'esearch.fcgi') return false;
      response.end('<?xml version="1.0" ?><PubmedArticleSet></PubmedArticleSet>');
      return true;
    };
    const study = tempStudy();
    const { queue, start } = queueOf(study, server);
    const { id } = start('epilepsy');
    await expect(queue.wait(id)).rejects.toMatchObject({ code: 'PUBMED_ANSWER_INVALID' });
    const [source] = study.sources.list();
    expect(source?.status).toBe('incomplete');
    expect(study.pubmed.count(source!.id, 'wanted')).toBe(900);
    server.always = null;
    queue.resume(id);
    expect(await queue.wait(id)).toMatchObject({ result: { added: 900, missing: 0 } });
    expect(study.sources.list()).toHaveLength(1);
  });

  test('that is offline is not begun and leaves no source', async () => {
    const study = tempStudy();
    const { queue, start } = queueOf(study, {
      ...(await eutilsServer([])),
      url: 'http://127.0.0.1:9/',
    });
    await expect(queue.wait(start('epilepsy').id)).rejects.toMatchObject({ code: 'PUBMED_UNREACHABLE' });
    expect(study.sources.list()).toEqual([]);
  });

  test('killed while it fetches, it goes on with what is wanted and loses nothing', async () => {
    const server = await eutilsServer(heldArticles(1_000));
    const folder = join(tempFolder(), 'study');
    const run = (args: string[], untilRecords: number | null) =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(
          process.execPath,
          [join(import.meta.dirname, '../../support/pubmed-child.ts'), folder, ...args],
          {
            env: { ...process.env, ENGRAM_PUBMED_URL: server.url },
            stdio: ['ignore', 'pipe', 'inherit'],
          },
        );
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          const stored = Math.max(...text.trim().split('\n').map(Number));
          if (untilRecords !== null && stored >= untilRecords) child.kill('SIGKILL');
        });
        child.on('error', reject);
        child.on('exit', () => resolve());
      });
    await run(['epilepsy'], 400);
    const before = fetches(server).length;
    expect(before).toBeLessThan(5);
    await run([], null);
    const study = openStudy(folder);
    try {
      const pmids = study.curation
        .ids({
          query: '',
          decisions: [],
          yearFrom: null,
          yearTo: null,
          terms: [],
          publicationTypes: [],
          journals: [],
          languages: [],
          mesh: [],
          keywords: [],
          sources: [],
          flags: [],
          hideCopies: true,
        })
        .map((id) => study.records.get(id).pmid);
      expect(new Set(pmids).size).toBe(1_000);
      expect(pmids).toHaveLength(1_000);
      const [source] = study.sources.list();
      expect(source).toMatchObject({ status: 'complete', read: 1_000, added: 1_000 });
      // At most the batch under way was fetched twice.
      expect(fetches(server).length).toBeLessThanOrEqual(6);
      expect(study.check()).toEqual([]);
    } finally {
      study.close();
    }
  }, 60_000);
});
