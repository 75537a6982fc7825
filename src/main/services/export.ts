import { z } from 'zod';
import { RecordFilter } from '../../shared/contracts/index.ts';
import type { SweepId } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import type { CsvValue } from '../exporters/csv.ts';
import type { Study } from '../store/index.ts';
import { EFFECT_COLUMNS, effectRows, storedResult, TABLE_FORMATS, type TableFormat } from './sweeps/table.ts';

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly Record<string, CsvValue>[];
}

const RECORD_COLUMNS = [
  'pmid',
  'doi',
  'title',
  'abstract',
  'journal',
  'year',
  'keywords',
  'url',
  'decision',
  'reason',
  'flags',
  'source',
] as const;
const PAIR_COLUMNS = [
  'set',
  'version',
  'id',
  'item',
  'type',
  'clean',
  'corrupted',
  'answer',
  'wrong',
] as const;
const TRAINING_COLUMNS = [
  'run',
  'series',
  'step',
  'epoch',
  'loss',
  'learning_rate',
  'gradient_norm',
  'tokens_per_second',
] as const;

export const ExportWhat = z.enum(['records', 'pairs', 'effects', 'training']);
export type ExportWhat = z.infer<typeof ExportWhat>;

/** What `engram export` can write, one row each. */
const TABLES: Readonly<Record<ExportWhat, (study: Study, sweep: SweepId | null) => Table>> = {
  records: (study) => ({
    columns: RECORD_COLUMNS,
    rows: study.curation.ids(RecordFilter.parse({})).map((id) => {
      const record = study.records.get(id);
      return {
        pmid: record.pmid,
        doi: record.doi,
        title: record.title,
        abstract: record.abstract,
        journal: record.journal,
        year: record.year,
        keywords: record.keywords.join('; '),
        url: record.url,
        decision: record.decision,
        reason: record.reason,
        flags: record.flags.join('; '),
        source: record.sourceName,
      };
    }),
  }),
  pairs: (study) => ({
    columns: PAIR_COLUMNS,
    rows: study.pairs.sets().flatMap((set) =>
      study.pairs.list(set.id).map(({ line }) => ({
        set: set.name,
        version: set.version,
        id: line.id,
        item: line.item ?? line.id,
        type: line.type ?? null,
        clean: promptText(line.clean),
        corrupted: promptText(line.corrupted),
        answer: line.answer.map(promptText).join('|'),
        wrong: line.wrong.map(promptText).join('|'),
      })),
    ),
  }),
  effects: (study, sweep) => {
    const id = sweep ?? study.sweeps.list().find((s) => s.status === 'complete')?.id;
    if (id === undefined) {
      throw new UserInputError('NO_SWEEP', 'The study has no complete sweep.', 'Run `engram sweep` first.');
    }
    return { columns: EFFECT_COLUMNS, rows: effectRows(storedResult(study, id)) };
  },
  training: (study) => ({
    columns: TRAINING_COLUMNS,
    rows: study.training.list().flatMap((run) => [
      ...study.training.steps(run.id).map((point) => ({
        run: run.name,
        series: 'train',
        step: point.step,
        epoch: point.epoch,
        loss: point.loss,
        learning_rate: point.learningRate,
        gradient_norm: point.gradientNorm,
        tokens_per_second: point.tokensPerSecond,
      })),
      ...study.training.epochs(run.id).map((point) => ({
        run: run.name,
        series: 'validation',
        step: point.step,
        epoch: point.epoch,
        loss: point.validationLoss,
        learning_rate: null,
        gradient_norm: null,
        tokens_per_second: null,
      })),
    ]),
  }),
};

/** One table of a study as text. */
export function exportTable(
  study: Study,
  what: ExportWhat,
  format: TableFormat,
  sweep: SweepId | null,
): { text: string; rows: number } {
  const { columns, rows } = TABLES[what](study, sweep);
  return { text: TABLE_FORMATS[format].write(columns, rows), rows: rows.length };
}

function promptText(prompt: string | readonly number[] | { readonly ids: readonly number[] }): string {
  if (typeof prompt === 'string') return prompt;
  return JSON.stringify('ids' in prompt ? { ids: prompt.ids } : { ids: prompt });
}
