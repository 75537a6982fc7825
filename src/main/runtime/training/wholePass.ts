import { activationBytes } from '../../engine/nn/trainingCost.ts';
import type { MaskInput } from '../../engine/nn/dropout.ts';
import { gradientName, trainGraph } from '../../engine/nn/trainGraph.ts';
import { floats, type Session, type Value } from '../sessions.ts';
import { addInto } from './optimizer.ts';
import { batchFeeds, graphOptions, maskFeeds, type Pass, type PassBatch, type PassContext } from './pass.ts';

interface Compiled {
  readonly session: Session;
  readonly masks: readonly MaskInput[];
  readonly bytes: number;
}

/**
 * Forward and backward in one graph, one compiled form per batch shape; the least used forms give way to the
 * memory limit.
 */
export class WholePass implements Pass {
  readonly #context: PassContext;
  /** In the order of last use. */
  readonly #compiled = new Map<string, Compiled>();
  readonly #parameters: Readonly<Record<string, Value>>;
  readonly #places: Readonly<Record<string, Value>>;
  #scratch: { readonly array: Float32Array; readonly places: Readonly<Record<string, Value>> } | null = null;

  constructor(context: PassContext) {
    const { store } = context;
    this.#context = context;
    this.#parameters = store.feeds(store.values);
    this.#places = store.feeds(store.gradients, gradientName);
  }

  async run({ batch, key, adding }: PassBatch, between: () => void): Promise<number> {
    between();
    const { session, masks } = await this.#open(batch.rows, batch.width);
    const feeds = {
      ...this.#parameters,
      ...batchFeeds(batch),
      ...maskFeeds(masks, key, this.#context.dropout),
    };
    const scratch = adding ? this.#second() : null;
    const results = await session.run(feeds, session.outputs, scratch?.places ?? this.#places);
    if (scratch !== null) addInto(this.#context.store.gradients, scratch.array);
    return floats(results, 'loss')[0] ?? NaN;
  }

  async close(): Promise<void> {
    const all = [...this.#compiled.values()];
    this.#compiled.clear();
    for (const { session } of all) await session.close();
  }

  /** Where the gradients of a step's further batches go before they are added. */
  #second(): { readonly array: Float32Array; readonly places: Readonly<Record<string, Value>> } {
    const { store } = this.#context;
    if (this.#scratch === null) {
      const array = new Float32Array(store.gradients.length);
      this.#scratch = { array, places: store.feeds(array, gradientName) };
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
    const bytes = activationBytes(this.#context.config, rows, width);
    await this.#makeRoom(bytes);
    const { graph, masks } = trainGraph(graphOptions(this.#context, rows, width));
    const made = {
      session: await this.#context.sessions.open(graph, { memoryPattern: false }),
      masks,
      bytes,
    };
    this.#compiled.set(key, made);
    return made;
  }

  async #makeRoom(bytes: number): Promise<void> {
    let used = [...this.#compiled.values()].reduce((sum, c) => sum + c.bytes, 0);
    for (const [key, oldest] of this.#compiled) {
      if (used + bytes <= this.#context.workBytes) return;
      this.#compiled.delete(key);
      used -= oldest.bytes;
      await oldest.session.close();
    }
  }
}
