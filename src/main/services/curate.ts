import type { EngramContract, ServiceHandlers } from '../../shared/contracts/index.ts';
import type { RecordFlag } from '../../shared/domain/index.ts';
import { type FreezeOptions, type RecordId } from '../../shared/domain/index.ts';
import { RECORD_FORMATS } from '../exporters/records/format.ts';
import type { DatasetDraft } from '../store/index.ts';
import type { ServiceContext } from './context.ts';
import { exportPath, exportRecords } from './record-export.ts';

/** Below this many training texts a fine-tuned model mostly repeats what it was shown. */
const FEW_TEXTS = 50;

/** Implements `curate`: finding, deciding, and freezing datasets. */
export function createCurateService({
  session,
  files,
  emit,
}: ServiceContext): ServiceHandlers<EngramContract['curate']> {
  const study = () => session.require().study;
  const edited = (what: 'records' | 'datasets'): void => {
    emit('changed', { what });
    emit('changed', { what: 'history' });
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
    export: ({ filter, format }) => {
      const { extension, mime } = RECORD_FORMATS[format];
      const name = `records.${extension}`;
      const path = exportPath(name);
      exportRecords(study(), filter, format, path);
      return files.offerDownload({ content: { path }, name, mime });
    },
    setNote: ({ id, note }: { id: RecordId; note: string }) => {
      study().records.get(id);
      study().decisions.setNote(id, note);
      edited('records');
      return {};
    },
    flow: () => study().curation.flow(),
    terms: () => study().terms.statistics(),
    setTerms: ({ terms }) => {
      study().terms.set(terms);
      edited('records');
      return study().terms.statistics();
    },
    freezePreview: (options) => {
      const draft = study().datasets.preview(options);
      return {
        nTrain: draft.nTrain,
        nValidation: draft.nValidation,
        terms: draft.terms,
        warnings: warningsOf(draft, options),
      };
    },
    freeze: (options) => {
      const dataset = study().datasets.freeze(options);
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
