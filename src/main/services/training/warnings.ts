import type { Model, TrainingConfig } from '../../../shared/domain/index.ts';
import type { MemoryPlan } from '../../engine/nn/trainingCost.ts';
import type { TrainingData } from '../../jobs/training-data.ts';
import type { ProviderName } from '../../runtime/providers.ts';
import { DEVICE_TRAINING } from '../../runtime/training/device.ts';

/** A run as far as it is known before it starts. */
export interface PlannedRun {
  readonly data: TrainingData;
  readonly model: Model['config'];
  readonly origin: Model['origin'];
  readonly config: TrainingConfig;
  readonly steps: number;
  /** How it would be computed; null where it does not fit. */
  readonly plan: MemoryPlan | null;
  readonly epochsInHalfHour: number | null;
  /** What is to compute it. */
  readonly provider: ProviderName;
}

/** One warning: when it applies, and what it says. */
interface Rule {
  readonly applies: (run: PlannedRun) => boolean;
  readonly says: (run: PlannedRun) => string;
}

const RULES: readonly Rule[] = [
  {
    applies: ({ plan, config }) => plan === null && config.memoryMode === 'auto',
    says: () =>
      'The run needs more memory than it may use, even with one sequence at a time and layer by layer: shorten the sequences, or raise the memory limit.',
  },
  {
    applies: ({ plan, config }) => plan === null && config.memoryMode !== 'auto',
    says: ({ config }) =>
      `Batches of ${config.batchSize} do not fit ${config.memoryMode === 'whole' ? 'in one graph' : 'layer by layer'}: choose smaller ones, or let them be computed as memory allows.`,
  },
  {
    applies: ({ config, steps }) => config.warmupSteps > steps,
    says: ({ config, steps }) =>
      `The warm-up of ${config.warmupSteps} steps is longer than the run (${steps} steps): the full rate is never reached.`,
  },
  {
    applies: ({ config, model }) => config.sequenceLength > model.nCtx,
    says: ({ config, model }) =>
      `The model reads ${model.nCtx} tokens; sequences are built at that length instead of ${config.sequenceLength}.`,
  },
  {
    applies: ({ data }) => data.train.cutTexts > 0,
    says: ({ data: { train } }) =>
      `${train.cutTexts} training texts are longer than a sequence: ${train.cutTokens} tokens are cut off and not trained on.`,
  },
  {
    applies: ({ config }) => config.paddingInLoss,
    says: () =>
      'Padding is counted in the loss (as Configuration I does): its losses are not comparable with runs that mask it.',
  },
  {
    applies: ({ config }) =>
      (config.preset === 'I' || config.preset === 'I-text') && config.precision === 'f32',
    says: () => 'Configuration I was run in half precision; this run computes in 32-bit floats throughout.',
  },
  {
    applies: ({ config, provider }) => config.precision === 'mixed-f16' && !DEVICE_TRAINING[provider].mixed,
    says: ({ provider }) =>
      `The ${provider} provider gains nothing from half precision: this run computes in 32-bit floats throughout.`,
  },
  {
    applies: ({ provider }) => DEVICE_TRAINING[provider].pass === 'loop',
    says: ({ provider }) =>
      `What the ${provider} provider is to compute has been proven on the CPU only: no training on a GPU has been seen yet.`,
  },
  {
    applies: ({ config, origin }) => config.preset === 'quick' && origin === 'imported',
    says: ({ config }) =>
      `The desktop preset is for small models made from scratch: its rate of ${config.learningRate} would undo much of what an imported model has learned.`,
  },
  {
    applies: ({ config, epochsInHalfHour }) => epochsInHalfHour !== null && epochsInHalfHour < config.epochs,
    says: ({ config, epochsInHalfHour }) =>
      `This model and dataset take longer than half an hour: about ${epochsInHalfHour ?? 0} of ${config.epochs} epochs fit into it. A smaller model or fewer epochs would end sooner.`,
  },
];

/** What a person should know before the run; stored with it and carried into the report. */
export function trainingWarnings(run: PlannedRun): string[] {
  return RULES.flatMap(({ applies, says }) => (applies(run) ? [says(run)] : []));
}
