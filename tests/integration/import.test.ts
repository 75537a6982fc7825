import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SourceId } from '../../src/shared/domain/index.ts';
import { READERS_VERSION } from '../../src/main/importers/index.ts';
import { importJob } from '../../src/main/jobs/import.ts';
import { JOBS } from '../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { type Study, createStudy, openStudy } from '../../src/main/store/index.ts';
import { noCompute } from '../support/compute.ts';
import { tempFolder } from '../support/store.ts';

function work(study: Study) {
  const queue = createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });
  onTestFinished(async () => {
    await queue.close();
    study.close();
  });
  const importFiles = (...paths: string[]) =>
    queue.wait(queue.start(importJob, { files: paths.map((path) => ({ path, name: basename(path) })) }).id);
  return { study, queue, importFiles };
}
const newWork = () => work(createStudy(join(tempFolder(), 's'), 'S'));

function file(name: string, content: string | Uint8Array): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, content);
  return path;
}

const article = (pmid: number, title = `Title ${pmid}`) => `<PubmedArticle><MedlineCitation>
  <PMID Version="1">${pmid}</PMID><Article><Journal><Title>Synthetic Neurology</Title>
  <JournalIssue><PubDate><Year>${2000 + (pmid % 20)}</Year></PubDate></JournalIssue></Journal>
  <ArticleTitle>${title}</ArticleTitle><Abstract><AbstractText>Abstract ${pmid} on EEG and seizures.</AbstractText></Abstract>
  </Article></MedlineCitation></PubmedArticle>`;
const xml = (n: number) =>
  `<?xml version="1.0"?><PubmedArticleSet>${Array.from({ length: n }, (_, i) => article(i + 1)).join('\n')}</PubmedArticleSet>`;
const lines = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    JSON.stringify({
      pmid: String(i + 1),
      title: `Title ${i}`,
      // Every tenth text stands twice, under another PMID.
      abstract: i % 10 === 9 ? `Text ${i - 1} on EEG.` : `Text ${i} on EEG.`,
    }),
  ).join('\n');

/** Everything an import writes, without the times at which it did. */
const content = (study: Study) => ({
  sources: study.sources.list().map(({ importedAt: _at, ...source }) => source),
  records: study.curation
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
      hideCopies: false,
    })
    .map((id) => study.records.get(id))
    .map(({ importedAt: _at, ...record }) => record),
  rejects: study.sources.list().map((s) => study.sources.rejects(s.id)),
  terms: study.terms.statistics(),
});

describe('an import', () => {
  test('reads XML, packed XML and CSV with their counts', async () => {
    const { study, importFiles } = newWork();
    const { job, result } = await importFiles(
      file('a.xml', xml(3)),
      file('b.xml.gz', gzipSync(xml(5))),
      file('c.csv', 'PMID,Title,Abstract,Journal,Keywords,URL\n9,T,An abstract.,J,k,\n10,No abstract,,J,,\n'),
    );
    expect(job.summary).toBe('10 read, 6 added, 3 duplicates, 1 rejected');
    expect(result).toMatchObject({ read: 10, added: 6, duplicates: 3, rejected: 1 });
    expect(study.sources.list().map((s) => [s.name, s.kind, s.status, s.read, s.added])).toEqual([
      ['a.xml', 'pubmed-xml', 'complete', 3, 3],
      ['b.xml.gz', 'pubmed-xml', 'complete', 5, 2],
      ['c.csv', 'csv', 'complete', 2, 1],
    ]);
    expect(study.sources.rejects(3 as SourceId)).toMatchObject([{ line: 3, key: 'PMID 10' }]);
    expect(job.progress).toMatchObject({ unit: 'bytes', done: job.progress.total });
  });

  test('of the same file again changes no record', async () => {
    const { study, importFiles } = newWork();
    const path = file('a.jsonl', lines(450));
    await importFiles(path);
    const before = content(study);
    const { result } = await importFiles(path);
    expect(result).toMatchObject({ read: 450, added: 0, duplicates: 450, rejected: 0 });
    expect(content(study).records).toEqual(before.records);
    expect(content(study).terms).toEqual(before.terms);
  });

  test('keeps the batches before a fault, says so, and goes on with the other files', async () => {
    const { study, queue, importFiles } = newWork();
    const cut = xml(450);
    const broken = file('cut.xml', cut.slice(0, Math.floor(cut.length * 0.9)));
    const attempt = importFiles(
      broken,
      file('whole.jsonl', '{"pmid":"900","title":"T","abstract":"Whole."}'),
    );
    await expect(attempt).rejects.toMatchObject({
      kind: 'format',
      message: expect.stringContaining('cut.xml') as string,
    });
    const [source, whole] = study.sources.list();
    expect(source).toMatchObject({ status: 'incomplete', rejected: 0 });
    expect(source!.message).toContain('cut.xml');
    expect(source!.added).toBeGreaterThan(390);
    expect(study.records.count()).toBe(source!.added + 1);
    expect(whole).toMatchObject({ status: 'complete', added: 1 });
    expect(queue.list()[0]).toMatchObject({ status: 'failed' });

    // The same cut file again finds the same, and doubles nothing.
    const before = content(study);
    await expect(importFiles(broken)).rejects.toMatchObject({ kind: 'format' });
    expect(content(study)).toEqual(before);

    // The whole file adds what was missing.
    const { result } = await importFiles(file('whole.xml', cut));
    expect(result).toMatchObject({ read: 450, added: 450 - source!.added, duplicates: source!.added });
  });

  test.each([
    ['a CSV without abstracts', 'x.csv', 'PMID,Title\n1,T\n', 'format'],
    ['a file of another kind', 'x.pdf', '%PDF-1.7 ...', 'format'],
    ['an empty file', 'x.xml', '', 'format'],
  ])('%s fails and leaves no record', async (_name, name, text, kind) => {
    const { study, importFiles } = newWork();
    await expect(importFiles(file(name, text))).rejects.toMatchObject({ kind });
    expect(study.records.count()).toBe(0);
  });

  test('a file that is not there is named', async () => {
    const { importFiles } = newWork();
    await expect(importFiles('/nowhere/x.xml')).rejects.toMatchObject({
      kind: 'user',
      code: 'IMPORT_FILE_MISSING',
    });
  });
});

describe('an import that was interrupted', () => {
  const RECORDS = 12_000;

  test('by killing its process comes to the same content when the study is opened again', async () => {
    const first = file('first.jsonl', lines(300));
    const second = file('second.jsonl', lines(RECORDS));
    const folder = join(tempFolder(), 'killed');
    const child = fork(new URL('../support/import-child.ts', import.meta.url), [folder, first, second], {
      silent: true,
    });
    let seen = '';
    child.stderr?.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    const stored = await new Promise<number>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        const counts = chunk.toString().trim().split('\n').map(Number);
        const enough = counts.find((n) => n > 1000);
        if (enough !== undefined) resolve(enough);
      });
      child.on('exit', () => reject(new Error(`the child ended by itself: ${seen}`)));
    });
    child.kill('SIGKILL');
    await once(child, 'exit').catch(() => undefined);
    expect(stored).toBeLessThan(RECORDS * 0.9);
    expect(existsSync(join(folder, 'study.lock'))).toBe(true);

    const killed = work(openStudy(folder));
    expect(killed.study.records.count()).toBeGreaterThan(1000);
    expect(killed.study.records.count()).toBeLessThan(RECORDS * 0.9);
    const { job } = await killed.queue.wait(killed.queue.list()[0]!.id);
    expect(job).toMatchObject({ status: 'complete', resumed: true });

    const whole = newWork();
    const { job: straight } = await whole.importFiles(first, second);
    expect(job.summary).toBe(straight.summary);
    expect(content(killed.study)).toEqual(content(whole.study));
  });

  test('by pausing continues where it was', async () => {
    const { study, queue } = newWork();
    const { id } = queue.start(importJob, {
      files: [{ path: file('a.jsonl', lines(4000)), name: 'a.jsonl' }],
    });
    while (study.records.count() < 400) await new Promise((resolve) => setImmediate(resolve));
    await queue.pause(id);
    const [paused] = study.sources.list();
    expect(paused).toMatchObject({ status: 'incomplete', message: 'The import was interrupted.' });
    expect(paused!.read).toBeLessThan(4000);
    queue.resume(id);
    await queue.wait(id);
    expect(study.sources.list()).toMatchObject([{ status: 'complete', read: 4000, message: null }]);
    expect(queue.log(id).map((l) => l.line)).toContain(`a.jsonl: ${paused!.read} items are stored already.`);
  });
});

/** An import that is closed in the middle, after some batches; returns the study's folder. */
async function interrupted(path: string, columns: readonly string[] = []): Promise<string> {
  const folder = join(tempFolder(), 's');
  const study = createStudy(folder, 'S');
  const queue = createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });
  queue.start(importJob, { files: [{ path, name: basename(path) }], columns: [...columns] });
  while (study.records.count() < 400) await new Promise((resolve) => setImmediate(resolve));
  await queue.close();
  study.close();
  return folder;
}

describe('an import that was interrupted is not continued by counting', () => {
  test('where the file has changed since: all of it is read, and the first attempt is left incomplete', async () => {
    const path = file('a.jsonl', lines(4000));
    const folder = await interrupted(path);
    // Other records in front: the ones that were stored are at other places now.
    const added = Array.from({ length: 900 }, (_, i) =>
      JSON.stringify({ pmid: String(90_000 + i), title: `New ${i}`, abstract: `New text ${i}.` }),
    );
    writeFileSync(path, `${added.join('\n')}\n${lines(4000)}`);
    const { study, queue } = work(openStudy(folder));
    await queue.wait(queue.list()[0]!.id);
    expect(study.sources.list().map((s) => [s.status, s.read])).toEqual([
      ['incomplete', study.sources.list()[0]!.read],
      ['complete', 4900],
    ]);
    expect(study.sources.list()[0]!.read).toBeLessThan(4000);
    const whole = newWork();
    await whole.importFiles(path);
    expect(study.records.count()).toBe(whole.study.records.count());
  });

  test('where its columns hold something else: no row is left as it was first read', async () => {
    const rows = Array.from({ length: 4000 }, (_, i) => `Text ${i} on EEG.,Note ${i}`);
    const path = file('a.csv', `First,Second\n${rows.join('\n')}\n`);
    const folder = await interrupted(path, ['Second=abstract', 'First=title']);
    const { study, queue } = work(openStudy(folder));
    await queue.stop(queue.list()[0]!.id);
    const columns = ['First=abstract', 'Second=title'];
    await queue.wait(queue.start(importJob, { files: [{ path, name: 'a.csv' }], columns }).id);
    expect(study.sources.list().map((s) => s.status)).toEqual(['incomplete', 'complete']);
    expect(study.sources.list()[1]).toMatchObject({ read: 4000, added: 4000, duplicates: 0 });
  });

  test('by readers that may give other items', async () => {
    const path = file('a.jsonl', lines(4000));
    const folder = await interrupted(path);
    const { study, queue } = work(openStudy(folder));
    const [begun] = study.sources.list();
    expect(study.sources.findUnfinished(begun!.sha256!, 'of an earlier version')).toBeUndefined();
    const reading = JSON.stringify({ readers: READERS_VERSION, columns: [] });
    expect(study.sources.findUnfinished(begun!.sha256!, reading)?.id).toBe(begun!.id);
    await queue.wait(queue.list()[0]!.id);
    expect(study.sources.list()).toMatchObject([{ status: 'complete', read: 4000 }]);
  });
});

test('a file that changes while it is imported is incomplete', async () => {
  const path = file('a.jsonl', lines(4000));
  const { study, queue } = newWork();
  const { id } = queue.start(importJob, { files: [{ path, name: 'a.jsonl' }] });
  while (study.records.count() < 400) await new Promise((resolve) => setImmediate(resolve));
  appendFileSync(path, `\n${JSON.stringify({ pmid: '99999', title: 'Late', abstract: 'Late text.' })}`);
  await expect(queue.wait(id)).rejects.toMatchObject({ code: 'IMPORT_FILE_CHANGED' });
  expect(study.sources.list()).toMatchObject([{ status: 'incomplete' }]);
  expect(study.records.count()).toBeGreaterThan(3000);
});

test('an import that is stopped while it waits to go on leaves an incomplete source', async () => {
  const folder = join(tempFolder(), 's');
  const path = file('a.jsonl', lines(3000));
  const study = createStudy(folder, 'S');
  const queue = createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });
  const { id } = queue.start(importJob, { files: [{ path, name: 'a.jsonl' }] });
  while (study.records.count() < 200) await new Promise((resolve) => setImmediate(resolve));
  await queue.close();
  const [begun] = study.sources.list();
  study.sources.assign(begun!.id, id, 0);
  study.close();

  const again = work(openStudy(folder));
  expect(again.study.sources.list()[0]?.status).toBe('running');
  await again.queue.stop(id);
  expect(again.study.sources.list()[0]).toMatchObject({
    status: 'incomplete',
    message: 'The import was interrupted.',
  });
});

const REAL = '../shared/data';
describe.skipIf(!existsSync(REAL))('real abstracts (skipped where the shared data is absent)', () => {
  test('are counted, deduplicated between the files, and found', async () => {
    const { study, importFiles } = newWork();
    const { result } = await importFiles(`${REAL}/epilepsy_eeg_seizure.jsonl`, `${REAL}/general_5000.jsonl`);
    expect(readFileSync(`${REAL}/epilepsy_eeg_seizure.jsonl`, 'utf8').trim().split('\n')).toHaveLength(333);
    expect(result).toMatchObject({ read: 5333, duplicates: 166, rejected: 0 });
    const flow = study.curation.flow();
    expect(flow.read).toBe(flow.rejected + flow.duplicates + flow.screened);
  });
});
