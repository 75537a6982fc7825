import type { Model, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import { leastBytes, planMemory, trainingSeconds, type MemoryPlan } from '../../engine/nn/trainingCost.ts';
import type { TrainingData } from '../../jobs/training-data.ts';
import type { ProviderName } from '../../runtime/providers.ts';
import { parameterCount } from '../../models/index.ts';
import { trainingWarnings } from './warnings.ts';

export interface Machine {
  /** What training may use. */
  readonly memoryBytes: number;
  /** Floating-point operations a second of a large matrix product, on all threads. */
  readonly flops: number;
  readonly provider: ProviderName;
}

const HALF_HOUR = 1800;
const SHORTEST = 16;

/** Optimiser steps of a whole run. */
function totalSteps(sequences: number, config: TrainingConfig): number {
  const batches = Math.ceil(sequences / config.batchSize);
  return Math.ceil(batches / config.accumulation) * config.epochs;
}

/** The longest half, quarter … of the sequence length that fits; null where the model itself does not. */
function shorterThatFits(
  model: Model['config'],
  length: number,
  memoryBytes: number,
): TrainingEstimate['offer'] {
  for (let n = Math.floor(length / 2); n >= SHORTEST; n = Math.floor(n / 2)) {
    if (planMemory(model, parameterCount(model), 1, n, memoryBytes) !== null) return { sequenceLength: n };
  }
  return null;
}

/** What a run will take, before it starts; seconds and bytes are estimates to within about a factor of two. */
export function estimateTraining(
  data: TrainingData,
  { config: model, origin }: Pick<Model, 'config' | 'origin'>,
  config: TrainingConfig,
  machine: Machine,
): TrainingEstimate {
  const { block } = data.train;
  const read = data.validation.block;
  const steps = totalSteps(block.count, config);
  const tokens = sum(block.lengths);
  const parameters = parameterCount(model);
  const computed = (part: typeof block): number =>
    config.paddingInLoss ? part.count * part.length : sum(part.lengths);
  const plan: MemoryPlan | null = planMemory(
    model,
    parameters,
    Math.min(config.batchSize, block.count),
    block.length,
    machine.memoryBytes,
  );
  const totalTokens = computed(block) * config.epochs;
  const seconds = trainingSeconds(
    {
      config: model,
      parameters,
      mode: plan?.mode ?? 'layers',
      tokens: totalTokens,
      readTokens: computed(read) * config.epochs,
      length: Math.max(1, Math.round(computed(block) / Math.max(1, block.count))),
      steps,
    },
    machine.flops,
  );
  const epochsInHalfHour =
    config.preset === 'quick' ? Math.floor((HALF_HOUR * config.epochs) / Math.max(1e-9, seconds)) : null;
  return {
    sequences: block.count,
    validationSequences: read.count,
    tokens,
    totalTokens,
    steps,
    seconds,
    memoryBytes: plan?.bytes ?? leastBytes(model, parameters, block.length),
    fits: plan !== null,
    memory: plan === null ? null : { mode: plan.mode, rows: plan.rows },
    offer: plan === null ? shorterThatFits(model, block.length, machine.memoryBytes) : null,
    epochsInHalfHour,
    warnings: trainingWarnings({
      data,
      model,
      origin,
      config,
      steps,
      plan,
      epochsInHalfHour,
      provider: machine.provider,
    }),
  };
}

const sum = (values: Int32Array): number => values.reduce((total, n) => total + n, 0);
