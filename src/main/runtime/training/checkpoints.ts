import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EpochPoint, StepPoint, TrainingConfig, type ModelConfig } from '../../../shared/domain/index.ts';
import { FormatError, StoreError, invariant } from '../../../shared/errors/index.ts';
import {
  openModelFolder,
  readSafetensors,
  readTensor,
  saveModelFolder,
  writeSafetensors,
} from '../../models/index.ts';
import { fileError } from '../../models/files.ts';
import { writeJson } from '../../models/folder-save.ts';
import type { ParameterStore } from './parameters.ts';

const STATE_FILE = 'state.json';
const OPTIMIZER_FILE = 'optimizer.safetensors';
const FOLDER = /^checkpoint-(\d+)$/;
const PARTIAL = '.partial';
/** Checkpoints kept beside the best one. */
const KEPT = 2;

/** What a loop over steps carries beside parameters and moments. */
export const LoopState = z.object({
  precision: TrainingConfig.shape.precision,
  /** Loss scale, and the steps taken since it last changed; of no effect without mixed precision. */
  scale: z.number().positive(),
  clean: z.number().int().nonnegative(),
  /** Steps that changed nothing because loss or gradients were not finite. */
  skipped: z.number().int().nonnegative(),
});
export type LoopState = z.infer<typeof LoopState>;

/** Where a run stands; with the tensors beside it, all that decides how it goes on. */
export const TrainingState = z.object({
  format: z.literal(1),
  /** Hash of everything that decides the run: configuration, data, starting weights. */
  run: z.string(),
  /** Optimiser steps done. */
  step: z.number().int(),
  /** Epochs completed. */
  epoch: z.number().int(),
  /** Steps done within the current epoch. */
  stepInEpoch: z.number().int(),
  /** Sum of losses and number of targets of the current epoch. */
  epochLoss: z.number(),
  epochTargets: z.number(),
  best: z.object({ epoch: z.number().int(), step: z.number().int(), loss: z.number() }).nullable(),
  /** Epochs completed, and the steps since the checkpoint before: whoever stores them may have missed them. */
  epochs: z.array(EpochPoint),
  recent: z.array(StepPoint),
  /** Epochs since the best one. */
  epochsWithoutGain: z.number().int(),
  stoppedEarly: z.boolean(),
  finished: z.boolean(),
  /** Time spent so far, over all attempts. */
  seconds: z.number(),
  /** How gradients are computed: another way rounds differently, so that a resumed run keeps to it. */
  memory: z.object({ mode: z.enum(['whole', 'layers']), rows: z.number().int().positive() }).optional(),
  /** Many steps in one run of a graph; absent where each step is run by itself. Kept to as well. */
  loop: LoopState.optional(),
});
export type TrainingState = z.infer<typeof TrainingState>;

/** Where a run stands before its first step. */
export function stateAtStart(run: string): TrainingState {
  return {
    format: 1,
    run,
    step: 0,
    epoch: 0,
    stepInEpoch: 0,
    epochLoss: 0,
    epochTargets: 0,
    best: null,
    epochs: [],
    recent: [],
    epochsWithoutGain: 0,
    stoppedEarly: false,
    finished: false,
    seconds: 0,
  };
}

const firstName = (name: string): string => `exp_avg/${name}`;
const secondName = (name: string): string => `exp_avg_sq/${name}`;

/** The checkpoints of one run: Hugging Face folders with the optimiser's state and the run's position beside. */
export class Checkpoints {
  readonly #folder: string;

  constructor(workFolder: string) {
    this.#folder = workFolder;
  }

  /** Folder of the checkpoint after a step. */
  folderOf(step: number): string {
    return join(this.#folder, `checkpoint-${String(step).padStart(8, '0')}`);
  }

  /**
   * Writes a checkpoint: into a folder of another name, made durable, then renamed, so that a complete name means
   * a complete checkpoint. Then removes all but the best and the last two. Returns its folder.
   * @throws StoreError DISK_FULL and the like; earlier checkpoints are unharmed.
   */
  async save(config: ModelConfig, store: ParameterStore, state: TrainingState): Promise<string> {
    const folder = this.folderOf(state.step);
    const partial = `${folder}${PARTIAL}`;
    try {
      await mkdir(this.#folder, { recursive: true });
      await rm(partial, { recursive: true, force: true });
      await saveModelFolder(partial, config, store.tensors(store.values), null);
      await writeSafetensors(join(partial, OPTIMIZER_FILE), [
        ...store.tensors(store.firstMoments, firstName),
        ...store.tensors(store.secondMoments, secondName),
      ]);
      await writeJson(join(partial, STATE_FILE), state);
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
    } catch (error) {
      await rm(partial, { recursive: true, force: true }).catch(() => undefined); // the first fault is the one to report
      throw fileError(error, folder);
    }
    await this.#prune(state.best?.step ?? null);
    return folder;
  }

  /** Steps of the complete checkpoints, ascending. */
  async steps(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => []); // no folder: no checkpoint
    return names
      .flatMap((name) => {
        const match = FOLDER.exec(name);
        return match?.[1] === undefined ? [] : [Number(match[1])];
      })
      .sort((a, b) => a - b);
  }

  /** Position of the newest complete checkpoint that has the optimiser's state; null when there is none. */
  async newest(): Promise<TrainingState | null> {
    for (const step of (await this.steps()).reverse()) {
      const file = join(this.folderOf(step), STATE_FILE);
      const text = await readFile(file, 'utf8').catch(() => null); // a best checkpoint's state may be pruned
      if (text === null) continue;
      const state = TrainingState.safeParse(parsed(text, file));
      if (!state.success) {
        throw new FormatError(
          'CHECKPOINT_DAMAGED',
          `${file} is not the state of a training run of this version.`,
          'Start the run anew without resuming.',
          state.error,
        );
      }
      return state.data;
    }
    return null;
  }

  /** Reads parameters and moments of the checkpoint after a step into a store. */
  async load(step: number, store: ParameterStore): Promise<void> {
    const folder = this.folderOf(step);
    const optimizer = await readSafetensors(join(folder, OPTIMIZER_FILE));
    const weights = await openModelFolder(folder);
    for (const { name } of store.parameters) {
      for (const [array, entry] of [
        [store.values, weights.tensors.get(name)],
        [store.firstMoments, optimizer.tensors.get(firstName(name))],
        [store.secondMoments, optimizer.tensors.get(secondName(name))],
      ] as const) {
        invariant(entry !== undefined, `${folder} has no state of ${name}`);
        store.set(array, name, await readTensor(entry));
      }
    }
  }

  /** Removes everything of earlier attempts. */
  async clear(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []); // no folder: nothing to clear
    for (const name of names) {
      if (FOLDER.test(name.replace(PARTIAL, '')))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  async #prune(best: number | null): Promise<void> {
    const steps = await this.steps();
    const last = new Set(steps.slice(-KEPT));
    for (const step of steps) {
      if (last.has(step)) continue;
      if (step !== best) await rm(this.folderOf(step), { recursive: true, force: true });
      else {
        // Nothing resumes from it any more: the weights are what it is kept for.
        await rm(join(this.folderOf(step), STATE_FILE), { force: true });
        await rm(join(this.folderOf(step), OPTIMIZER_FILE), { force: true });
      }
    }
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StoreError(
      'CHECKPOINT_DAMAGED',
      `${file} is no valid JSON.`,
      'Start the run anew without resuming.',
      error,
    );
  }
}
