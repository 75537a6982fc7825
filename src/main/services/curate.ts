import { contract, type EngramContract, type ServiceHandlers } from '../../shared/contracts/index.ts';
import type { RecordFlag } from '../../shared/domain/index.ts';
import { type FreezeOptions, NearCopyReport, type RecordId } from '../../shared/domain/index.ts';
import { RECORD_FORMATS } from '../exporters/records/format.ts';
import type { DatasetDraft } from '../store/index.ts';
import { CancelledError, InvariantError } from '../../shared/errors/index.ts';
import { decideJob, freezeJob, nearCopiesJob, termsJob } from '../jobs/curate.ts';
import { exportJob, exportSteps } from '../jobs/export-records.ts';
import { atOnce, oneByOne } from '../store/index.ts';
import type { ServiceContext } from './context.ts';
import { bundledTokenizer } from './models/tokenizers.ts';
import { tokenLengths } from './token-lengths.ts';
import { exportPath } from './record-export.ts';

/** Below this many training texts a fine-tuned model mostly repeats what it was shown. */
const FEW_TEXTS = 50;

/** Up to so many records, they are counted, frozen, decided on, compared and exported at once; above, as jobs. */
const SMALL_STUDY = 5_000;

/** What the job that decides on a list says in the end. */
const Decided = contract.curate.decideAll.output;

/** Implements `curate`: finding, deciding, and freezing datasets. */
export function createCurateService({
  session,
  files,
  emit,
  ...places
}: ServiceContext): ServiceHandlers<EngramContract['curate']> {
  const study = () => session.require().study;
  const edited = (what: 'records' | 'datasets'): void => {
    emit('changed', { what });
    emit('changed', { what: 'history' });
  };

  /** Answers that nobody waits for any more are given up when the same is asked again. */
  const asked = new Map<string, AbortController>();
  const newest = (what: string): AbortSignal => {
    asked.get(what)?.abort(new CancelledError('An earlier preview'));
    const turn = new AbortController();
    asked.set(what, turn);
    return turn.signal;
  };

  return {
    records: ({ filter, offset, limit }) => study().curation.page(filter, offset, limit),
    record: ({ id }) => study().records.get(id),
    facets: ({ filter }) => study().curation.facets(filter),
    decide: ({ ids, decision, reason }) => {
      const changed = study().decisions.decide(ids, decision, reason);
      edited('records');
      return { changed };
    },
    separate: ({ id }) => {
      study().records.separate(id);
      edited('records');
      return {};
    },
    export: async ({ filter, format }) => {
      const { extension, mime } = RECORD_FORMATS[format];
      const name = `records.${extension}`;
      const path = exportPath(name);
      const { study: open, queue } = session.require();
      if (open.curation.select(filter).length > SMALL_STUDY) {
        await queue.wait(queue.start(exportJob, { filter, format, path }).id);
      } else atOnce(exportSteps(open, filter, format, path));
      return files.offerDownload({ content: { path }, name, mime });
    },
    setNote: ({ id, note }: { id: RecordId; note: string }) => {
      study().records.get(id);
      study().decisions.setNote(id, note);
      edited('records');
      return {};
    },
    flow: () => study().curation.flow(),
    decideAll: async ({ filter, decision, reason }) => {
      const { study: open, queue } = session.require();
      const ids = open.curation.select(filter);
      if (ids.length > SMALL_STUDY) {
        const upTo = ids.reduce((most, id) => Math.max(most, id), 0);
        const { result } = await queue.wait(queue.start(decideJob, { filter, decision, reason, upTo }).id);
        return Decided.parse(result);
      }
      const changed = atOnce(open.decisions.decideSteps(ids, decision, reason));
      edited('records');
      return { changed };
    },
    terms: () => study().terms.statistics(),
    termDetail: () => ({ together: study().terms.together(), byYear: study().terms.byYear() }),
    setTerms: async ({ terms }) => {
      const { study: open, queue } = session.require();
      if (open.records.count() > SMALL_STUDY) await queue.wait(queue.start(termsJob, { terms }).id);
      else {
        open.terms.set(terms);
        edited('records');
      }
      return open.terms.statistics();
    },
    freezePreview: async (options) => {
      const draft = await oneByOne(study().datasets.previewSteps(options), newest('preview'));
      return {
        nTrain: draft.nTrain,
        nValidation: draft.nValidation,
        terms: draft.terms,
        warnings: warningsOf(draft, options),
        lengths: await tokenLengths(draft.sample, () => bundledTokenizer('gpt2', places)),
      };
    },
    nearCopies: async (options) => {
      const { study: open, queue } = session.require();
      const { datasets, records } = open;
      const report =
        records.count() > SMALL_STUDY
          ? NearCopyReport.parse((await queue.wait(queue.start(nearCopiesJob, options).id)).result)
          : await oneByOne(datasets.nearCopySteps(options), newest('near-copies'));
      const named = (id: RecordId) => ({ id, title: records.get(id).title });
      return {
        ...report,
        examples: report.examples.map((pair) => ({
          ...pair,
          train: named(pair.train),
          validation: named(pair.validation),
        })),
      };
    },
    freeze: async (options) => {
      const { study: open, queue } = session.require();
      if (open.records.count() > SMALL_STUDY) {
        const { job } = await queue.wait(queue.start(freezeJob, options).id);
        const frozen = open.datasets.ofJob(job.id);
        if (frozen === undefined) throw new InvariantError(`job ${job.id} froze nothing`);
        return frozen;
      }
      const dataset = open.datasets.freeze(options);
      emit('changed', { what: 'datasets', datasetId: dataset.id });
      return dataset;
    },
    datasets: () => study().datasets.list(),
  };
}

const FLAG_WORDS: Readonly<Record<string, string>> = {
  retracted: 'retracted',
  'retraction-notice': 'retraction notices',
  concern: 'with an expression of concern',
  erratum: 'with a published erratum',
  updated: 'with a published update',
  preprint: 'preprints',
} satisfies Record<(typeof RecordFlag.options)[number], string>;

/** What a person should know before freezing, one sentence each. */
function warningsOf(draft: DatasetDraft, options: FreezeOptions): string[] {
  const warnings: string[] = [];
  if (draft.nTrain < FEW_TEXTS) {
    warnings.push(`Only ${draft.nTrain} texts to train on: a model will mostly repeat them.`);
  }
  if (draft.withoutAbstract > 0) {
    warnings.push(`${draft.withoutAbstract} records without an abstract are left out.`);
  }
  for (const [flag, count] of Object.entries(draft.flagged)) {
    warnings.push(`${count} of the records are ${FLAG_WORDS[flag] ?? flag}.`);
  }
  if (options.includeUndecided && draft.undecided > 0) {
    warnings.push(`${draft.undecided} records are included although nobody decided on them.`);
  }
  return warnings;
}
