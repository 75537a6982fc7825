import type { ModelConfig, TrainingConfig } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import {
  bytesAsAsked,
  planAsAsked,
  stateBytes,
  type MemoryMode,
  type MemoryPlan,
} from '../../engine/nn/trainingCost.ts';
import type { SessionFactory } from '../sessions.ts';
import type { MicroBatch } from './batches.ts';
import { LayerPass } from './layerPass.ts';
import type { ParameterStore } from './parameters.ts';
import type { Pass, PassContext } from './pass.ts';
import { WholePass } from './wholePass.ts';

export interface GradientOptions {
  readonly config: ModelConfig;
  readonly dropout: number;
  readonly seed: number;
  readonly memoryLimitBytes: number;
  /** Default `whole`. */
  readonly mode?: MemoryMode;
  /** Filler is in the batches but must not be attended to; default false. */
  readonly hidePadding?: boolean;
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;

/** What is to be trained, as far as memory depends on it. */
export interface Demand {
  readonly config: ModelConfig;
  readonly parameters: number;
  /** Sequences of a batch. */
  readonly wanted: number;
  /** Tokens of a sequence. */
  readonly length: number;
  readonly memoryLimitBytes: number;
  readonly choice: TrainingConfig['memoryMode'];
  /** What `auto` may choose from; default: every mode. */
  readonly modes?: readonly MemoryMode[] | undefined;
}

/**
 * How batches are computed under a memory limit.
 * @throws UserInputError TRAINING_TOO_LARGE when that does not fit.
 */
export function requirePlan(demand: Demand): MemoryPlan {
  const { config, parameters, wanted, length, memoryLimitBytes, choice, modes } = demand;
  const plan = planAsAsked(choice, config, parameters, wanted, length, memoryLimitBytes, modes);
  if (plan !== null) return plan;
  const needed = bytesAsAsked(choice, config, parameters, wanted, length);
  throw new UserInputError(
    'TRAINING_TOO_LARGE',
    `Training this model on sequences of ${length} tokens${choice === 'auto' ? '' : `, ${wanted} at a time,`} needs about ${gigabytes(needed)} of memory; the limit is ${gigabytes(memoryLimitBytes)}.`,
    choice === 'auto'
      ? 'Choose shorter sequences or a smaller model, or raise the memory limit in the settings.'
      : 'Let batches be computed as memory allows, choose smaller ones, or raise the memory limit in the settings.',
  );
}

const PASSES: Readonly<Record<MemoryMode, new (context: PassContext) => Pass>> = {
  whole: WholePass,
  layers: LayerPass,
};

/** Loss and gradients of optimiser steps, in one of the memory modes. */
export class GradientRunner {
  readonly #pass: Pass;
  readonly #seed: number;

  constructor(sessions: SessionFactory, store: ParameterStore, options: GradientOptions) {
    const { config, dropout, memoryLimitBytes, mode = 'whole', hidePadding = false } = options;
    this.#seed = options.seed;
    this.#pass = new PASSES[mode]({
      sessions,
      store,
      config,
      dropout,
      hidePadding,
      workBytes: memoryLimitBytes - stateBytes(mode, config, store.values.length),
    });
  }

  /**
   * Fills the store's gradients with those of the mean loss over all targets of the batches; returns that mean.
   * `between` is called before every run of a graph; it throws to stop, and then the gradients are incomplete.
   */
  async run(batches: readonly MicroBatch[], step: number, between: () => void): Promise<number> {
    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      const key = { seed: this.#seed, step, batch: index };
      loss += await this.#pass.run({ batch, key, adding: index > 0 }, between);
    }
    return loss;
  }

  close(): Promise<void> {
    return this.#pass.close();
  }
}
