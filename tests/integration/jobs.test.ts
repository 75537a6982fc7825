import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Job, JobStatus } from '../../src/shared/domain/index.ts';
import { FormatError } from '../../src/shared/errors/index.ts';
import {
  type RegisteredJob,
  createJobRegistry,
  defineJob,
  registerJob,
} from '../../src/main/jobs/definition.ts';
import type { JobQueue } from '../../src/main/jobs/queue.ts';
import { createJobQueue } from '../../src/main/jobs/runner.ts';
import { type Study, createStudy, openStudy } from '../../src/main/store/index.ts';
import { noCompute } from '../support/compute.ts';
import { tempFolder } from '../support/store.ts';

/** Counts to `to`, keeping its place in the study, one unit at a time when told to go on. */
const counting = (heavy: boolean, kind = heavy ? 'heavy' : 'light') =>
  defineJob({
    kind,
    heavy,
    params: z.object({ to: z.number(), key: z.string().default('count') }),
    title: ({ to }) => `Count to ${to}`,
    run: async ({ params: { to, key }, signal, finish, progress, study, log, resumed }) => {
      log(resumed ? 'again' : 'first');
      let n = study.settings.get(key, z.number()) ?? 0;
      while (n < to && !finish.aborted) {
        signal.throwIfAborted();
        study.settings.set(key, ++n);
        progress(n, to, 'units', `at ${n}`);
        await sleep(1);
      }
      return { summary: `counted to ${n}`, result: { n } };
    },
  });
const heavy = counting(true);
const light = counting(false);
const failing = defineJob({
  kind: 'failing',
  heavy: false,
  params: z.object({}),
  title: () => 'Fail',
  run: () => Promise.reject(new FormatError('BAD_FILE', 'x.xml is cut short.', 'Get it again.')),
});
const mirrored: JobStatus[] = [];
const mirroring = defineJob({
  ...light,
  kind: 'mirroring',
  onStatus: (status) => void mirrored.push(status),
});

const REGISTRY = [heavy, light, mirroring]
  .map((d): RegisteredJob => registerJob(d))
  .concat(registerJob(failing));

function open(folder = join(tempFolder(), 's'), study: Study = createStudy(folder, 'S')) {
  const events: Job[] = [];
  const queue = createJobQueue({
    study,
    registry: createJobRegistry(REGISTRY),
    compute: noCompute(),
    emit: (event, payload) => {
      if (event === 'job') events.push(payload as Job);
    },
  });
  const close = async () => {
    await queue.close();
    study.close();
  };
  onTestFinished(close);
  return { folder, study, queue, events, close };
}

/** Waits until a job is at least at `done`. */
async function reached(queue: JobQueue, study: Study, key: string, done: number): Promise<void> {
  while ((study.settings.get(key, z.number()) ?? 0) < done) await sleep(1);
  expect(queue.list().length).toBeGreaterThan(0);
}

describe('a job', () => {
  test('runs, tells its progress, and keeps what came of it', async () => {
    const { study, queue, events } = open();
    const started = queue.start(light, { to: 5 });
    expect(started).toMatchObject({ kind: 'light', title: 'Count to 5', status: 'queued', resumed: false });
    const { job, result } = await queue.wait(started.id);
    expect(job).toMatchObject({ status: 'complete', summary: 'counted to 5', error: null });
    expect(job.progress).toMatchObject({ done: 5, total: 5, unit: 'units', message: 'at 5' });
    expect(result).toEqual({ n: 5 });
    expect(study.jobs.get(started.id).result).toEqual({ n: 5 });
    expect(events.map((e) => e.status).filter((s, i, all) => s !== all[i - 1])).toEqual([
      'queued',
      'running',
      'complete',
    ]);
    expect(queue.log(started.id).map((l) => l.line)).toEqual(['first']);
  });

  test('that fails says why, in the study and to whoever waits', async () => {
    const { queue } = open();
    const { id } = queue.start(failing, {});
    await expect(queue.wait(id)).rejects.toMatchObject({ kind: 'format', code: 'BAD_FILE' });
    expect(queue.get(id)).toMatchObject({
      status: 'failed',
      error: { code: 'BAD_FILE', message: 'x.xml is cut short.', next: 'Get it again.' },
    });
    expect(queue.log(id).map((l) => l.line)).toEqual(['BAD_FILE: x.xml is cut short. Get it again.']);
  });

  test('can be paused and resumed', async () => {
    const { study, queue } = open();
    const { id } = queue.start(light, { to: 400 });
    const waiting = expect(queue.wait(id)).rejects.toMatchObject({ kind: 'cancelled' });
    await reached(queue, study, 'count', 3);
    await queue.pause(id);
    await waiting;
    const at = study.settings.get('count', z.number())!;
    expect(queue.get(id)).toMatchObject({ status: 'paused', finishedAt: null });
    expect(at).toBeLessThan(400);
    study.settings.set('count', 398);
    queue.resume(id);
    const { job } = await queue.wait(id);
    expect(job).toMatchObject({ status: 'complete', resumed: true });
    expect(queue.log(id).map((l) => l.line)).toEqual(['first', 'Paused.', 'again']);
  });

  test('can be stopped while it runs, while it waits, and while it is paused', async () => {
    const { study, queue } = open();
    const first = queue.start(heavy, { to: 1e9, key: 'a' });
    const second = queue.start(heavy, { to: 1, key: 'b' });
    await reached(queue, study, 'a', 1);
    expect(queue.get(second.id).status).toBe('queued');
    await queue.stop(second.id);
    await queue.pause(first.id);
    await queue.stop(first.id);
    await expect(queue.wait(first.id)).rejects.toMatchObject({ kind: 'cancelled' });
    await queue.idle();
    expect(queue.list().map((j) => j.status)).toEqual(['stopped', 'stopped']);
    expect(study.settings.get('b', z.number())).toBeUndefined();
  });

  test('can be asked to end early and keep what there is', async () => {
    const { study, queue } = open();
    const { id } = queue.start(light, { to: 1e9 });
    await reached(queue, study, 'count', 2);
    queue.finish(id);
    const { job } = await queue.wait(id);
    expect(job.status).toBe('complete');
    expect(job.summary).toBe(`counted to ${study.settings.get('count', z.number())}`);
  });

  test('heavy ones run one at a time, light ones beside them', async () => {
    const { study, queue } = open();
    const a = queue.start(heavy, { to: 1e9, key: 'a' });
    const b = queue.start(heavy, { to: 1e9, key: 'b' });
    const c = queue.start(light, { to: 3, key: 'c' });
    await queue.wait(c.id);
    await reached(queue, study, 'a', 1);
    expect([a, b].map((j) => queue.get(j.id).status)).toEqual(['running', 'queued']);
    await queue.stop(a.id);
    await reached(queue, study, 'b', 1);
    expect(queue.get(b.id).status).toBe('running');
    await queue.stop(b.id);
  });

  test('keeps rows that mirror its status in step', async () => {
    const { queue } = open();
    await queue.wait(queue.start(mirroring, { to: 1 }).id);
    expect(mirrored).toEqual(['queued', 'running', 'complete']);
  });
});

describe('across restarts', () => {
  test('closing interrupts a job, and opening continues it', async () => {
    const { folder, study, queue, close } = open();
    const { id } = queue.start(heavy, { to: 1000 });
    await reached(queue, study, 'count', 5);
    await close();
    const again = open(folder, openStudy(folder));
    expect(again.study.settings.get('count', z.number())).toBeLessThan(1000);
    again.study.settings.set('count', 999);
    const { job } = await again.queue.wait(id);
    expect(job).toMatchObject({ status: 'complete', resumed: true, summary: 'counted to 1000' });
  });

  test('a paused job stays paused', async () => {
    const { folder, study, queue, close } = open();
    const { id } = queue.start(light, { to: 1e9 });
    await reached(queue, study, 'count', 1);
    await queue.pause(id);
    await close();
    const again = open(folder, openStudy(folder));
    await again.queue.idle();
    expect(again.queue.get(id).status).toBe('paused');
  });

  test('the error of a failed job is known to a later process', async () => {
    const { folder, queue, close } = open();
    const { id } = queue.start(failing, {});
    await expect(queue.wait(id)).rejects.toThrow();
    await close();
    const again = open(folder, openStudy(folder));
    await expect(again.queue.wait(id)).rejects.toMatchObject({
      kind: 'format',
      code: 'BAD_FILE',
      next: 'Get it again.',
    });
  });

  test('parameters a later version does not understand fail that job alone', async () => {
    const { study, queue } = open();
    const stored = study.jobs.insert({ kind: 'light', title: 'Old', params: { upTo: 3 }, heavy: false });
    const unknown = study.jobs.insert({ kind: 'divination', title: 'Odd', params: {}, heavy: false });
    const good = queue.start(light, { to: 1 });
    await queue.wait(good.id);
    await expect(queue.wait(stored.job.id)).rejects.toMatchObject({ code: 'JOB_PARAMETERS' });
    await expect(queue.wait(unknown.job.id)).rejects.toMatchObject({ code: 'JOB_UNKNOWN' });
  });
});
