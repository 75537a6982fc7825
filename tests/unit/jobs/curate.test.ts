import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RecordFilter } from '../../../src/shared/contracts/index.ts';
import { type Dataset, FreezeOptions, type JobProgress } from '../../../src/shared/domain/index.ts';
import { CancelledError } from '../../../src/shared/errors/index.ts';
import { decideJob, freezeJob, nearCopiesJob, termsJob } from '../../../src/main/jobs/curate.ts';
import { exportJob, exportSteps } from '../../../src/main/jobs/export-records.ts';
import { JOBS } from '../../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../../src/main/jobs/runner.ts';
import { atOnce, oneByOne, openStudy, type Steps, type Study } from '../../../src/main/store/index.ts';
import { noCompute } from '../../support/compute.ts';
import { addRecords, tempFolder, tempStudy } from '../../support/store.ts';

const queueOf = (study: Study) =>
  createJobQueue({ study, registry: JOBS, compute: noCompute(), emit: () => undefined });

function filled(n: number): Study {
  const study = tempStudy();
  addRecords(
    study,
    Array.from({ length: n }, (_, i) => ({
      pmid: String(1_000 + i),
      abstract: `Sleep and spikes in case ${i}.`,
    })),
  );
  return study;
}

/** The same study, whose freezing calls `then` between two steps, the first time it says that it is `doing`. */
function pausedAt(study: Study, doing: string, then: () => void): Study {
  function* freezeSteps(...given: Parameters<Study['datasets']['freezeSteps']>): Steps<Dataset> {
    const steps = study.datasets.freezeSteps(...given);
    for (let called = false; ;) {
      const next = steps.next();
      if (next.done === true) return next.value;
      yield next.value;
      if (called || next.value.doing !== doing) continue;
      called = true;
      then();
    }
  }
  return { ...study, datasets: { ...study.datasets, freezeSteps } };
}

describe('jobs over records', () => {
  test.each(['counting', 'comparing with held-out texts', 'writing'])(
    'a version is frozen with progress; interrupted by closing while %s, it is frozen once when continued',
    async (doing) => {
      const study = filled(2_400);
      const told: JobProgress[] = [];
      const queue = createJobQueue({
        study: pausedAt(study, doing, () => void queue.close()),
        registry: JOBS,
        compute: noCompute(),
        emit: (_, payload) => {
          if ('progress' in payload) told.push(payload.progress);
        },
      });
      const job = queue.start(freezeJob, { name: 'D' });
      await expect(queue.wait(job.id)).rejects.toMatchObject({ kind: 'cancelled' });
      await queue.close();
      expect(told).toContainEqual(
        expect.objectContaining({ done: 500, total: 2_400, unit: 'records', message: 'counting' }),
      );
      expect(study.jobs.get(job.id).job.progress.message).toBe(doing);
      expect(study.datasets.list()).toEqual([]);
      const { folder } = study;
      study.close();

      const again = openStudy(folder);
      try {
        const second = queueOf(again);
        const { job: done, result } = await second.wait(job.id);
        expect(done.summary).toBe('version 1: 1,920 train, 480 validation');
        const [dataset, ...others] = again.datasets.list();
        expect(others).toEqual([]);
        expect(result).toEqual({ datasetId: dataset?.id });
        // Run again, as after a kill between the last write and the note that the job is complete.
        again.jobs.update(job.id, { status: 'failed' });
        second.resume(job.id);
        await second.wait(job.id);
        expect(again.datasets.list()).toHaveLength(1);
        await second.close();
      } finally {
        again.close();
      }
    },
  );

  test('terms are counted as a job', async () => {
    const study = filled(1_200);
    const queue = queueOf(study);
    const { id } = queue.start(termsJob, { terms: ['spike', 'sleep'] });
    await queue.wait(id);
    expect(study.terms.statistics()).toEqual([
      { term: 'spike', mentions: 1_200, articles: 1_200 },
      { term: 'sleep', mentions: 1_200, articles: 1_200 },
    ]);
    expect(study.undo.history().undo).toBe('Change the list to 2 terms');
    await queue.close();
  });

  test('a list is decided on, without records that came later; stopped, what was done is one entry to undo', async () => {
    const study = filled(5_400);
    const all = RecordFilter.parse({});
    let stop: (() => void) | null = null;
    const queue = createJobQueue({
      study,
      registry: JOBS,
      compute: noCompute(),
      emit: (_, payload) => {
        if ('progress' in payload && payload.progress.done > 0) stop?.();
      },
    });
    const given = { filter: all, decision: 'exclude', reason: 'Off topic', upTo: 5_000 } as const;
    const first = queue.start(decideJob, given);
    const stopped = new Promise<void>((resolve) => {
      stop = () => {
        stop = null;
        void queue.stop(first.id).then(resolve);
      };
    });
    await expect(queue.wait(first.id)).rejects.toMatchObject({ kind: 'cancelled' });
    await stopped;
    const { excluded } = study.curation.flow();
    expect([excluded > 0, excluded < 5_000]).toEqual([true, true]);
    expect(study.undo.undo()?.label).toBe('Exclude 5,000 records (Off topic)');
    expect(study.curation.flow().undecided).toBe(5_400);
    const { result } = await queue.wait(queue.start(decideJob, given).id);
    expect(result).toEqual({ changed: 5_000 });
    expect(study.curation.flow()).toMatchObject({ excluded: 5_000, undecided: 400 });
    await queue.close();
  });

  test.each(['csv', 'xlsx', 'ris', 'jsonl'] as const)(
    'records are exported as %s under their name once the file is whole; stopped, nothing is left',
    async (format) => {
      const study = filled(1_500);
      const folder = tempFolder();
      const path = join(folder, `records.${format}`);
      const given = { filter: RecordFilter.parse({}), format, path };
      const queue = queueOf(study);
      await queue.wait(queue.start(exportJob, given).id);
      expect(readdirSync(folder)).toEqual([`records.${format}`]);
      const whole = readFileSync(path);
      expect(whole.length).toBeGreaterThan(10_000);
      rmSync(path);

      const steps = exportSteps(study, given.filter, format, path);
      expect(steps.next()).toMatchObject({ done: false, value: { total: 1_500, doing: 'writing' } });
      expect(readdirSync(folder)).toEqual([`records.${format}.part`]);
      const ended = new AbortController();
      ended.abort(new CancelledError('Export'));
      await expect(oneByOne(steps, ended.signal)).rejects.toMatchObject({ kind: 'cancelled' });
      expect(readdirSync(folder)).toEqual([]);

      const gone = queue.start(exportJob, { ...given, path: join(folder, 'gone', 'records') });
      await expect(queue.wait(gone.id)).rejects.toMatchObject({ code: 'EXPORT_INTERRUPTED' });
      await queue.close();
    },
  );

  test('near-copies across the split are found as a job', async () => {
    const study = filled(5_100);
    const queue = queueOf(study);
    const options = FreezeOptions.parse({ name: 'D', includeUndecided: true });
    const { job, result } = await queue.wait(queue.start(nearCopiesJob, options).id);
    expect(result).toEqual(atOnce(study.datasets.nearCopySteps(options)));
    expect(job.summary).toMatch(/ held-out texts nearly repeated in training$/);
    await queue.close();
  });
});
