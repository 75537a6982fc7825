import type { ModelConfig } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { gradientName, trainGraph, type MaskInput } from '../../engine/nn/trainGraph.ts';
import { activationBytes, rowsWithin, trainingStateBytes } from '../../engine/nn/trainingCost.ts';
import { f32, floats, i64, type Session, type SessionFactory, type Value } from '../sessions.ts';
import type { MicroBatch } from './batches.ts';
import { dropoutMask } from './masks.ts';
import { addInto } from './optimizer.ts';
import type { ParameterStore } from './parameters.ts';

export interface GradientOptions {
  readonly config: ModelConfig;
  readonly dropout: number;
  readonly seed: number;
  readonly memoryLimitBytes: number;
}

interface Compiled {
  readonly session: Session;
  readonly masks: readonly MaskInput[];
  readonly bytes: number;
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;

/**
 * Most sequences of a length that one run may take under a memory limit, at most `wanted`.
 * @throws UserInputError TRAINING_TOO_LARGE when not even one fits.
 */
export function rowsThatFit(
  config: ModelConfig,
  parameters: number,
  wanted: number,
  length: number,
  memoryLimitBytes: number,
): number {
  const rows = rowsWithin(config, parameters, wanted, length, memoryLimitBytes);
  if (rows === 0) {
    const needed = trainingStateBytes(parameters) + activationBytes(config, 1, length);
    throw new UserInputError(
      'TRAINING_TOO_LARGE',
      `Training this model on sequences of ${length} tokens needs about ${gigabytes(needed)} of memory; the limit is ${gigabytes(memoryLimitBytes)}.`,
      'Choose shorter sequences or a smaller model, or raise the memory limit in the settings.',
    );
  }
  return rows;
}

/** Runs the training graph, one compiled form per batch shape; the least used forms give way to the memory limit. */
export class GradientRunner {
  readonly #sessions: SessionFactory;
  readonly #store: ParameterStore;
  readonly #options: GradientOptions;
  /** In the order of last use. */
  readonly #compiled = new Map<string, Compiled>();
  readonly #parameters: Readonly<Record<string, Value>>;
  readonly #places: Readonly<Record<string, Value>>;
  #scratch: Readonly<Record<string, Value>> | null = null;
  #scratchArray: Float32Array | null = null;

  constructor(sessions: SessionFactory, store: ParameterStore, options: GradientOptions) {
    this.#sessions = sessions;
    this.#store = store;
    this.#options = options;
    this.#parameters = store.feeds(store.values);
    this.#places = store.feeds(store.gradients, gradientName);
  }

  /**
   * Fills the store's gradients with those of the mean loss over all targets of the batches; returns that mean.
   * `between` is called before every run; it throws to stop, and then the gradients are incomplete.
   */
  async run(batches: readonly MicroBatch[], step: number, between: () => void): Promise<number> {
    const targets = Math.max(
      1,
      batches.reduce((sum, b) => sum + b.targets, 0),
    );
    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      between();
      const { session, masks } = await this.#open(batch.rows, batch.width);
      const feeds: Record<string, Value> = {
        ...this.#parameters,
        ids: i64(batch.ids, [batch.rows, batch.width]),
        labels: i64(batch.labels, [batch.labels.length]),
        weights: f32(
          batch.counted.map((c) => c / targets),
          [batch.counted.length, 1],
        ),
      };
      masks.forEach((mask, site) => {
        const size = mask.shape.reduce((n, s) => n * s, 1);
        const key = { seed: this.#options.seed, step, batch: index, site };
        feeds[mask.name] = { data: dropoutMask(key, size, this.#options.dropout), dims: mask.shape };
      });
      const results = await session.run(feeds, session.outputs, index === 0 ? this.#places : this.#second());
      if (index > 0 && this.#scratchArray !== null) addInto(this.#store.gradients, this.#scratchArray);
      loss += floats(results, 'loss')[0] ?? NaN;
    }
    return loss;
  }

  async close(): Promise<void> {
    const all = [...this.#compiled.values()];
    this.#compiled.clear();
    for (const { session } of all) await session.close();
  }

  /** Where the gradients of a step's further batches go before they are added. */
  #second(): Readonly<Record<string, Value>> {
    if (this.#scratch === null) {
      this.#scratchArray = new Float32Array(this.#store.gradients.length);
      this.#scratch = this.#store.feeds(this.#scratchArray, gradientName);
    }
    return this.#scratch;
  }

  async #open(rows: number, width: number): Promise<Compiled> {
    const key = `${rows}x${width}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) {
      this.#compiled.delete(key);
      this.#compiled.set(key, known);
      return known;
    }
    const { config, dropout } = this.#options;
    const bytes = activationBytes(config, rows, width);
    await this.#makeRoom(bytes);
    const { graph, masks } = trainGraph({
      config,
      parameters: this.#store.parameters,
      batch: rows,
      length: width,
      dropout,
    });
    const made = { session: await this.#sessions.open(graph), masks, bytes };
    this.#compiled.set(key, made);
    return made;
  }

  async #makeRoom(bytes: number): Promise<void> {
    const limit = this.#options.memoryLimitBytes - trainingStateBytes(this.#store.values.length);
    let used = [...this.#compiled.values()].reduce((sum, c) => sum + c.bytes, 0);
    for (const [key, oldest] of this.#compiled) {
      if (used + bytes <= limit) return;
      this.#compiled.delete(key);
      used -= oldest.bytes;
      await oldest.session.close();
    }
  }
}
