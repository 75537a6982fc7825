import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';

export interface Difference {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  /** Which of the two this configuration follows, if either. */
  readonly used: 'text' | 'code' | 'neither';
  /** What the configuration does, where it may follow neither. */
  readonly own?: string;
}

const USED: Readonly<Record<TrainingConfig['longAbstracts'], Difference['used']>> = {
  chunk: 'text',
  truncate: 'code',
  pack: 'neither',
};

/** What a configuration does about a choice, in a word. */
export function takenBy({ used, text, code, own }: Difference): string {
  return used === 'neither' ? (own ?? '') : { text, code }[used];
}

/**
 * The choices on which the CLAP paper's text and its public code differ (METHODS section 5), and which
 * one a configuration takes. The split is always the code's.
 */
export function paperDifferences(config: TrainingConfig): Difference[] {
  const { differences, values, notSaid } = t.models;
  return [
    {
      name: differences.longAbstracts,
      text: values.chunk,
      code: values.truncate,
      used: USED[config.longAbstracts],
      own: values[config.longAbstracts],
    },
    {
      name: differences.paddingInLoss,
      text: notSaid,
      code: config.paddingInLoss ? values.counted : values.masked,
      used: 'code',
    },
    {
      name: differences.schedule,
      text: values['constant-after-warmup'],
      code: values['linear-decay'],
      used: config.schedule === 'constant-after-warmup' ? 'text' : 'code',
    },
    { name: differences.split, text: values.stratified, code: values.plain(42), used: 'code' },
  ];
}
