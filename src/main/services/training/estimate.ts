import { totalmem } from 'node:os';
import type { ModelConfig, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import { leastBytes, planMemory, trainingFlopsPerToken } from '../../engine/nn/trainingCost.ts';
import type { TrainingData } from '../../jobs/training-data.ts';
import { parameterCount } from '../../models/index.ts';

/** Floating-point operations a second and thread that training reaches on a desktop CPU (measured, AVX-512). */
const FLOPS_PER_THREAD = 5e10;
export interface Machine {
  readonly threads: number;
  readonly memoryBytes: number;
}

/** Optimiser steps of a whole run. */
function totalSteps(sequences: number, config: TrainingConfig): number {
  const batches = Math.ceil(sequences / config.batchSize);
  return Math.ceil(batches / config.accumulation) * config.epochs;
}

/** What a run will take, before it starts; seconds and bytes are estimates to within about a factor of two. */
export function estimateTraining(
  data: TrainingData,
  model: ModelConfig,
  config: TrainingConfig,
  machine: Machine = { threads: 1, memoryBytes: totalmem() },
): TrainingEstimate {
  const { block } = data.train;
  const sequences = block.count;
  const steps = totalSteps(sequences, config);
  const tokens = block.lengths.reduce((sum, n) => sum + n, 0);
  const parameters = parameterCount(model);
  const computed = config.paddingInLoss ? sequences * block.length : tokens;
  const flops = trainingFlopsPerToken(model, block.length) * computed * config.epochs;
  const plan = planMemory(model, parameters, config.batchSize, block.length, machine.memoryBytes);
  const fits = plan !== null;
  const memoryBytes = plan?.bytes ?? leastBytes(model, parameters, block.length);
  return {
    sequences,
    validationSequences: data.validation.block.count,
    tokens,
    steps,
    seconds: flops / (FLOPS_PER_THREAD * machine.threads),
    memoryBytes,
    fits,
    warnings: trainingWarnings(data, model, config, steps, fits),
  };
}

/** What a person should know before the run; stored with it and carried into the report. */
function trainingWarnings(
  data: TrainingData,
  model: ModelConfig,
  config: TrainingConfig,
  steps: number,
  fits: boolean,
): string[] {
  const { cutTexts, cutTokens } = data.train;
  const rules: readonly [boolean, string][] = [
    [!fits, 'The run needs more memory than it may use: shorten the sequences, or raise the memory limit.'],
    [
      config.warmupSteps > steps,
      `The warm-up of ${config.warmupSteps} steps is longer than the run (${steps} steps): the full rate is never reached.`,
    ],
    [
      config.sequenceLength > model.nCtx,
      `The model reads ${model.nCtx} tokens; sequences are built at that length instead of ${config.sequenceLength}.`,
    ],
    [
      cutTexts > 0,
      `${cutTexts} training texts are longer than a sequence: ${cutTokens} tokens are cut off and not trained on.`,
    ],
    [
      config.paddingInLoss,
      'Padding is counted in the loss (as Configuration I does): its losses are not comparable with runs that mask it.',
    ],
  ];
  return rules.flatMap(([applies, warning]) => (applies ? [warning] : []));
}
