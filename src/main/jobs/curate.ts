import { z } from 'zod';
import { FreezeOptions } from '../../shared/domain/index.ts';
import { oneByOne, type Step } from '../store/index.ts';
import { type JobContext, defineJob } from './definition.ts';

const telling =
  ({ progress }: Pick<JobContext<unknown>, 'progress'>) =>
  ({ done, total, doing }: Step): void => {
    progress(done, total, 'records', doing);
  };

/** Freezes a version in steps, so that the study can be used meanwhile. Interrupted, it is begun anew. */
export const freezeJob = defineJob({
  kind: 'freeze',
  params: FreezeOptions,
  heavy: false,
  title: ({ name }) => `Freeze ${name}`,
  run: async (context) => {
    const { study, params, jobId, signal, emit } = context;
    const dataset =
      study.datasets.ofJob(jobId) ??
      (await oneByOne(study.datasets.freezeSteps(params, jobId), signal, telling(context)));
    emit('changed', { what: 'datasets', datasetId: dataset.id });
    const n = (value: number) => value.toLocaleString('en');
    return {
      summary: `version ${dataset.version}: ${n(dataset.nTrain)} train, ${n(dataset.nValidation)} validation`,
      result: { datasetId: dataset.id },
    };
  },
});

/** Changes the term list; new terms are counted over all records in steps. */
export const termsJob = defineJob({
  kind: 'terms',
  params: z.object({ terms: z.array(z.string().trim().min(1)).min(1).max(12) }),
  heavy: false,
  title: ({ terms }) => `Count ${terms.join(', ')}`,
  run: async (context) => {
    const { study, params, signal, emit } = context;
    await oneByOne(study.terms.setSteps(params.terms), signal, telling(context));
    emit('changed', { what: 'records' });
    emit('changed', { what: 'history' });
    return { summary: `${params.terms.length} terms counted` };
  },
});
