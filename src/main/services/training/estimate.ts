import { totalmem } from 'node:os';
import type { ModelConfig, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import type { TrainingData } from '../../jobs/training-data.ts';
import { parameterCount } from '../../models/index.ts';

/** Floating-point operations a second and thread that training reaches on a desktop CPU (measured, AVX-512). */
const FLOPS_PER_THREAD = 5e10;
/** Forward and backward pass: multiply–adds per parameter and token, times two. */
const FLOPS_PER_PARAMETER = 6;
/** Copies the runtime keeps of each activation (measured: 3 GB for GPT-2 small at 512 tokens). */
const ACTIVATION_COPIES = 2.2;
const FLOAT_BYTES = 4;
/** Weights, gradients and the two moments of AdamW. */
const PARAMETER_COPIES = 4;
const SHARE_OF_MEMORY = 0.85;

export interface Machine {
  readonly threads: number;
  readonly memoryBytes: number;
}

/** Optimiser steps of a whole run. */
export function totalSteps(sequences: number, config: TrainingConfig): number {
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
  const paddedTokens = sequences * block.length * config.epochs;
  const tokens = block.lengths.reduce((sum, n) => sum + n, 0);
  const parameters = parameterCount(model);
  const flops = FLOPS_PER_PARAMETER * parameters * paddedTokens;
  const memoryBytes =
    PARAMETER_COPIES * FLOAT_BYTES * parameters +
    ACTIVATION_COPIES * FLOAT_BYTES * config.batchSize * block.length * floatsPerToken(model, block.length);
  const fits = memoryBytes < SHARE_OF_MEMORY * machine.memoryBytes;
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

/** Activations that the backward pass needs: residual stream, attention, MLP, logits. */
function floatsPerToken(model: ModelConfig, length: number): number {
  const layer = 16 * model.dModel + 4 * model.dMlp + 3 * model.nHead * length;
  return model.nLayer * layer + 3 * model.vocabSize;
}

/** What a person should know before the run; stored with it and carried into the report. */
export function trainingWarnings(
  data: TrainingData,
  model: ModelConfig,
  config: TrainingConfig,
  steps: number,
  fits: boolean,
): string[] {
  const { cutTexts, cutTokens } = data.train;
  const rules: readonly [boolean, string][] = [
    [!fits, 'The run needs more memory than this machine has: lower the batch size or the sequence length.'],
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
