import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';

export interface Difference {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  /** Which of the two this configuration follows. */
  readonly used: 'text' | 'code';
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
      used: config.longAbstracts === 'chunk' ? 'text' : 'code',
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
