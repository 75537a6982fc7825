import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../../src/main/hosts/cli/program.ts';
import { modelGet } from '../../../src/main/jobs/model-get.ts';
import { createJobRegistry, registerJob } from '../../../src/main/jobs/definition.ts';
import { createJobQueue } from '../../../src/main/jobs/runner.ts';
import { listHubModel } from '../../../src/main/models/hub/index.ts';
import { createStudy, openStudy } from '../../../src/main/store/index.ts';
import type { EngramEvents, EventName } from '../../../src/shared/contracts/index.ts';
import type { Job } from '../../../src/shared/domain/index.ts';
import { noCompute } from '../../support/compute.ts';
import { breakOffAfter, COMMIT, hubServer, type HubServer } from '../../support/hub.ts';
import { tempFolder } from '../../support/store.ts';

// A model that transformers wrote, served under the hub's protocol.
const MODEL = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));
const served = (): Promise<HubServer> =>
  hubServer(
    'o/tiny',
    Object.fromEntries(
      readdirSync(MODEL).map((name) => [
        name,
        { content: readFileSync(join(MODEL, name)), lfs: name.endsWith('.safetensors') },
      ]),
    ),
  );
const never = new AbortController().signal;

function openQueue(folder: string) {
  const study = createStudy(folder, 'Study');
  const jobs: Job[] = [];
  const queue = createJobQueue({
    study,
    registry: createJobRegistry([registerJob(modelGet)]),
    compute: noCompute(),
    emit: <K extends EventName>(event: K, payload: EngramEvents[K]) => {
      if (event === 'job') jobs.push(payload as Job);
    },
  });
  onTestFinished(async () => {
    await queue.close();
    study.close();
  });
  return { study, queue, jobs };
}

/** Waits until so many bytes of a file are on disk. */
async function arrived(path: string, bytes: number): Promise<void> {
  while ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < bytes) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('getting a model as a job', () => {
  it('fetches, verifies, checks and imports it', async () => {
    const hub = await served();
    const manifest = await listHubModel(hub.access, 'o/tiny', 'main', never);
    const base = tempFolder();
    const { study, queue, jobs } = openQueue(join(base, 'study'));
    const folder = join(base, 'fetched');
    const { id } = queue.start(modelGet, { manifest, folder, name: 'tiny' });
    await queue.wait(id);
    const [model] = study.models.list();
    expect(model).toMatchObject({ name: 'tiny', origin: 'imported' });
    expect(model?.weightsHash).toBe(manifest.files.find(({ name }) => name === 'model.safetensors')?.sha256);
    const log = queue.log(id).map(({ line }) => line);
    expect(log.some((line) => line.includes(COMMIT))).toBe(true);
    expect(log.some((line) => line.startsWith('Every weight, in the right shape: '))).toBe(true);
    expect(jobs.some(({ progress }) => progress.unit === 'MB')).toBe(true);
  });

  it('is paused and resumed from the bytes that are here', async () => {
    const hub = await served();
    const manifest = await listHubModel(hub.access, 'o/tiny', 'main', never);
    const base = tempFolder();
    const { study, queue } = openQueue(join(base, 'study'));
    hub.onContent = (request, response, { content }) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 20_000));
      return true;
    };
    const { id } = queue.start(modelGet, { manifest, folder: join(base, 'fetched'), name: 'tiny' });
    await arrived(join(base, 'fetched', 'model.safetensors.part'), 20_000);
    await queue.pause(id);
    expect(queue.get(id).status).toBe('paused');
    hub.onContent = null;
    hub.requests.length = 0;
    queue.resume(id);
    await queue.wait(id);
    expect(hub.requests.find(({ path }) => path.startsWith('store'))?.range).toBe('bytes=20000-');
    expect(study.models.list()).toHaveLength(1);
  });

  it('goes on after the process was killed', async () => {
    const hub = await served();
    const manifest = await listHubModel(hub.access, 'o/tiny', 'main', never);
    const base = tempFolder();
    const params = join(base, 'params.json');
    writeFileSync(params, JSON.stringify({ manifest, folder: join(base, 'fetched'), name: 'tiny' }));
    const child = join(dirname(fileURLToPath(import.meta.url)), '../../support/fetch-child.ts');
    hub.onContent = (request, response, { content }) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 20_000));
      return true;
    };
    const study = join(base, 'study');
    const first = spawn(process.execPath, [child, study, params], { stdio: 'ignore' });
    await arrived(join(base, 'fetched', 'model.safetensors.part'), 20_000);
    first.kill('SIGKILL');
    await once(first, 'exit');
    hub.onContent = null;
    hub.requests.length = 0;
    const second = spawn(process.execPath, [child, study], { stdio: 'ignore' });
    await once(second, 'exit');
    expect(hub.requests.find(({ path }) => path.startsWith('store'))?.range).toBe('bytes=20000-');
    expect(hub.requests.some(({ path }) => path.endsWith('config.json'))).toBe(false);
    const opened = openStudy(study);
    expect(opened.models.list().map(({ name }) => name)).toEqual(['tiny']);
    opened.close();
  });
});

describe('engram model get', () => {
  async function cli(...args: string[]) {
    const text = { out: '', err: '' };
    const into = (key: 'out' | 'err') =>
      ({ write: (chunk: string) => ((text[key] += chunk), true) }) as unknown as NodeJS.WritableStream; // only write is used
    const code = await runCli(args, { out: into('out'), err: into('err') });
    return { code, ...text };
  }

  it('lists without fetching, and imports a copied folder without asking', async () => {
    const hub = await served();
    const base = tempFolder();
    const common = ['--data', join(base, 'data'), '--json'];
    const listed = await cli('model', 'get', 'o/tiny', '--hub', hub.url, '--list', ...common);
    expect(listed).toMatchObject({ code: 0 });
    expect(JSON.parse(listed.out)).toMatchObject({
      manifest: { repo: 'o/tiny', commit: COMMIT },
      missingBytes: expect.any(Number) as number,
    });
    expect(hub.requests).toHaveLength(1);
    hub.requests.length = 0;
    const list = join(base, 'list.json');
    writeFileSync(list, listed.out);
    // The folder of the reference is the copy from another machine; it lacks nothing.
    const copied = await cli(
      'model',
      'get',
      'o/tiny',
      join(base, 'study'),
      '--manifest',
      list,
      '--folder',
      MODEL,
      ...common,
    );
    expect(copied.err).not.toContain('HUB_');
    expect(JSON.parse(copied.out)).toMatchObject({ folder: MODEL, model: { name: 'tiny' } });
    expect(hub.requests).toEqual([]);
  });

  it('fetches to a folder without a study, and says on one line what is wrong', async () => {
    const hub = await served();
    const base = tempFolder();
    const folder = join(base, 'here');
    hub.onContent = (...all) => {
      hub.onContent = null;
      return breakOffAfter(10_000, join(folder, 'model.safetensors.part'))(...all);
    };
    const common = ['--data', join(base, 'data'), '--json'];
    const got = await cli('model', 'get', 'o/tiny', '--hub', hub.url, '--folder', folder, ...common);
    expect(JSON.parse(got.out)).toMatchObject({ folder, model: null });
    expect(got.err).toContain('Every weight, in the right shape');
    expect(
      readFileSync(join(folder, 'model.safetensors')).equals(readFileSync(join(MODEL, 'model.safetensors'))),
    ).toBe(true);
    const wrong = await cli('model', 'get', 'o/none', '--hub', hub.url, ...common);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toMatch(/^HUB_MODEL_UNKNOWN: .*o\/none.*\n/m);
  });
});
