import { z } from 'zod';
import { RecordFilter } from '../../shared/contracts/index.ts';
import { Decision, FreezeOptions, NearCopyReport } from '../../shared/domain/index.ts';
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

/** Which records a decision on a whole list is about: those there when it was made. */
export const DecideAll = z.object({
  filter: RecordFilter,
  decision: Decision,
  reason: z.string().nullable(),
  /** Records up to this number; later ones came after the decision. */
  upTo: z.number().int(),
});

/**
 * Decides on every record of a list, in steps. Ended half way, what was decided stays, as one entry to undo;
 * continued, it goes on with the rest.
 */
export const decideJob = defineJob({
  kind: 'decide',
  params: DecideAll,
  heavy: false,
  title: ({ decision, reason }) => `Decide on a list: ${decision}${reason === null ? '' : ` (${reason})`}`,
  run: async (context) => {
    const { study, signal, emit, params } = context;
    const ids = study.curation.select(params.filter).filter((id) => id <= params.upTo);
    try {
      const steps = study.decisions.decideSteps(ids, params.decision, params.reason);
      const changed = await oneByOne(steps, signal, telling(context));
      return { summary: `${changed.toLocaleString('en')} records decided`, result: { changed } };
    } finally {
      emit('changed', { what: 'records' });
      emit('changed', { what: 'history' });
    }
  },
});

/** Compares every text to train on with every held-out one, were a version frozen now. */
export const nearCopiesJob = defineJob({
  kind: 'near-copies',
  params: FreezeOptions,
  heavy: false,
  title: ({ name }) => `Check the split of ${name} for near-copies`,
  run: async (context) => {
    const { study, params, signal } = context;
    const report = await oneByOne(study.datasets.nearCopySteps(params), signal, telling(context));
    return {
      summary: `${report.heldOut.toLocaleString('en')} held-out texts nearly repeated in training`,
      result: NearCopyReport.parse(report),
    };
  },
});
