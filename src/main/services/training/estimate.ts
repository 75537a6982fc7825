import type { Model, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import { bytesAsAsked, planAsAsked, trainingSeconds, type MemoryPlan } from '../../engine/nn/trainingCost.ts';
import type { TrainingData } from '../../jobs/training-data.ts';
import { parameterCount } from '../../models/index.ts';
import { fullStudy } from './fullStudy.ts';
import type { Machine } from './machine.ts';
import { offersFor } from './offers.ts';
import { trainingWarnings } from './warnings.ts';

const HALF_HOUR = 1800;

/** Optimiser steps of a whole run. */
function totalSteps(sequences: number, config: TrainingConfig): number {
  const batches = Math.ceil(sequences / config.batchSize);
  return Math.ceil(batches / config.accumulation) * config.epochs;
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
  const wanted = Math.min(config.batchSize, block.count);
  const planOf = (asked: TrainingConfig, length: number): MemoryPlan | null =>
    planAsAsked(
      asked.memoryMode,
      model,
      parameters,
      Math.min(asked.batchSize, block.count),
      length,
      machine.memoryBytes,
    );
  const plan = planOf(config, block.length);
  const totalTokens = computed(block) * config.epochs;
  const secondsOf = (asked: TrainingConfig, length: number): number => {
    // Shorter sequences cut tokens off, or (chunked, packed) make more sequences; at most it is as many tokens.
    const share = Math.min(1, length / block.length);
    const mean = Math.max(1, Math.round((share * computed(block)) / Math.max(1, block.count)));
    return trainingSeconds(
      {
        config: model,
        parameters,
        mode: planOf(asked, length)?.mode ?? 'layers',
        tokens: share * totalTokens,
        readTokens: share * computed(read) * config.epochs,
        length: mean,
        steps: totalSteps(block.count, asked),
      },
      machine.flops,
    );
  };
  const seconds = secondsOf(config, block.length);
  const epochsInHalfHour =
    config.preset === 'quick' ? Math.floor((HALF_HOUR * config.epochs) / Math.max(1e-9, seconds)) : null;
  return {
    sequences: block.count,
    validationSequences: read.count,
    tokens,
    totalTokens,
    steps,
    seconds,
    memoryBytes: plan?.bytes ?? bytesAsAsked(config.memoryMode, model, parameters, wanted, block.length),
    fits: plan !== null,
    memory: plan === null ? null : { mode: plan.mode, rows: plan.rows },
    limitBytes: machine.memoryBytes,
    offers: offersFor({
      model,
      config,
      sequences: block.count,
      length: block.length,
      steps,
      memoryBytes: machine.memoryBytes,
      fits: plan !== null,
      secondsOf,
    }),
    fullStudy: fullStudy(machine),
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
