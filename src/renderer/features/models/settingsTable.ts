import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import type { GlossaryKey } from '../../i18n/glossary.ts';

type NumberKey = {
  [K in keyof TrainingConfig]: TrainingConfig[K] extends number ? K : never;
}[keyof TrainingConfig];
type SettingKey = keyof typeof t.training.settings & keyof TrainingConfig;

interface Common {
  readonly group: keyof typeof t.training.groups;
  readonly term?: GlossaryKey;
}
export type NumberSetting = Common & {
  readonly kind: 'number';
  readonly key: NumberKey & SettingKey;
  readonly integer: boolean;
  readonly accepts: (n: number) => boolean;
  readonly problem: string;
};
type ChoiceSetting = Common & {
  readonly kind: 'choice';
  readonly key: SettingKey;
  readonly options: readonly { readonly label: string; readonly apply: Partial<TrainingConfig> }[];
};
export type Setting = NumberSetting | ChoiceSetting;

type NumberOptions = Common & { readonly integer?: boolean };
const atLeast = (key: NumberSetting['key'], min: number, options: NumberOptions): NumberSetting => ({
  kind: 'number',
  integer: true,
  key,
  accepts: (n) => n >= min,
  problem: (options.integer ?? true) ? t.training.badInteger(min) : t.training.badNumber(min),
  ...options,
});
const choice = (key: ChoiceSetting['key'], options: ChoiceSetting['options']): ChoiceSetting => {
  return { kind: 'choice', group: 'details', key, options };
};
const c = t.training.choices;

/** Every setting a user may change, in the order of the form, with what it accepts. */
export const SETTINGS: readonly Setting[] = [
  atLeast('epochs', 1, { group: 'schedule' }),
  atLeast('patience', 0, { group: 'schedule', term: 'earlyStopping' }),
  {
    kind: 'number',
    key: 'learningRate',
    group: 'schedule',
    integer: false,
    accepts: (n) => n > 0,
    problem: t.training.badPositive,
  },
  atLeast('warmupSteps', 0, { group: 'schedule', term: 'warmUp' }),
  {
    kind: 'choice',
    key: 'schedule',
    group: 'schedule',
    options: [
      { label: c['linear-decay'], apply: { schedule: 'linear-decay' } },
      { label: c['constant-after-warmup'], apply: { schedule: 'constant-after-warmup' } },
    ],
  },
  atLeast('sequenceLength', 8, { group: 'data', term: 'sequenceLength' }),
  {
    kind: 'choice',
    key: 'longAbstracts',
    group: 'data',
    options: [
      { label: c.truncate, apply: { longAbstracts: 'truncate' } },
      { label: c.chunk, apply: { longAbstracts: 'chunk' } },
      { label: c.pack, apply: { longAbstracts: 'pack' } },
    ],
  },
  {
    kind: 'choice',
    key: 'paddingInLoss',
    group: 'data',
    term: 'lossPadding',
    options: [
      { label: c.counted, apply: { paddingInLoss: true } },
      { label: c.masked, apply: { paddingInLoss: false } },
    ],
  },
  atLeast('batchSize', 1, { group: 'steps' }),
  atLeast('accumulation', 1, { group: 'steps', term: 'accumulation' }),
  {
    kind: 'choice',
    key: 'memoryMode',
    group: 'steps',
    term: 'recompute',
    options: [
      { label: c.auto, apply: { memoryMode: 'auto' } },
      { label: c.whole, apply: { memoryMode: 'whole' } },
      { label: c.layers, apply: { memoryMode: 'layers' } },
    ],
  },
  atLeast('weightDecay', 0, { group: 'steps', term: 'weightDecay', integer: false }),
  atLeast('clip', 0, { group: 'steps', term: 'gradientNorm', integer: false }),
  {
    kind: 'number',
    key: 'dropout',
    group: 'steps',
    integer: false,
    accepts: (n) => n >= 0 && n < 1,
    problem: t.training.badShare,
  },
  {
    kind: 'choice',
    key: 'precision',
    group: 'steps',
    options: [
      { label: c.f32, apply: { precision: 'f32' } },
      { label: c['mixed-f16'], apply: { precision: 'mixed-f16' } },
    ],
  },
  atLeast('seed', 0, { group: 'steps' }),
  choice('endOfText', [
    { label: c.added, apply: { endOfText: true } },
    { label: c.notAdded, apply: { endOfText: false } },
  ]),
  choice('eosInLoss', [
    { label: c.counted, apply: { eosInLoss: true } },
    { label: c.masked, apply: { eosInLoss: false } },
  ]),
  choice('paddingAttended', [
    { label: c.seen, apply: { paddingAttended: true } },
    { label: c.hidden, apply: { paddingAttended: false } },
  ]),
  choice('decay', [
    { label: c.matrices, apply: { decay: 'matrices' } },
    { label: c.all, apply: { decay: 'all' } },
  ]),
  choice('firstRate', [
    { label: c.zero, apply: { firstRate: 'zero' } },
    { label: c['one-step'], apply: { firstRate: 'one-step' } },
  ]),
  choice('accumulationMean', [
    { label: c.stepTokens, apply: { accumulationMean: 'tokens' } },
    { label: c.stepLabels, apply: { accumulationMean: 'labels' } },
    { label: c.stepBatches, apply: { accumulationMean: 'batches' } },
  ]),
  choice('evaluationMean', [
    { label: c.validationTokens, apply: { evaluationMean: 'tokens' } },
    { label: c.validationBatches, apply: { evaluationMean: 'batches' } },
  ]),
];

/** The number typed for a setting, or why it is not accepted. */
export function readNumber(setting: NumberSetting, text: string): { value: number } | { problem: string } {
  const value = Number(text.trim().replace(',', '.').replace('−', '-'));
  const ok = text.trim() !== '' && Number.isFinite(value) && (!setting.integer || Number.isInteger(value));
  return ok && setting.accepts(value) ? { value } : { problem: setting.problem };
}
