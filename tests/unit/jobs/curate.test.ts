import { describe, expect, test } from 'vitest';
import type { Dataset, JobProgress } from '../../../src/shared/domain/index.ts';
import { freezeJob, termsJob } from '../../../src/main/jobs/curate.ts';
import { JOBS } from '../../../src/main/jobs/registry.ts';
import { createJobQueue } from '../../../src/main/jobs/runner.ts';
import { openStudy, type Steps, type Study } from '../../../src/main/store/index.ts';
import { noCompute } from '../../support/compute.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

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
});
