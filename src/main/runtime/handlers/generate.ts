import { headWidth, kvHeads, type ModelConfig } from '../../../shared/domain/index.ts';
import { cacheNames, continueGraph } from '../../engine/nn/continueGraph.ts';
import { bestAtRows } from '../../engine/nn/readGraphs.ts';
import type { LoadedModel } from '../modelCache.ts';
import { checkIds } from '../prompts.ts';
import { f32, floats, i64, whole, type Value } from '../sessions.ts';
import type { Handler } from './handler.ts';

/**
 * Greedy continuation. Within the model's context every token is read once, its keys and values kept. A longer
 * text is cut to its last part, which moves every token to another position, so that part is read anew each time.
 */
export const generate: Handler<'generate'> = async ({ folder, ids, tokens }, { context, checkpoint }) => {
  const model = await context.models.get(folder);
  const { nCtx } = model.config;
  checkIds(ids.slice(-nCtx), model.config, 'The prompt');
  const text = [...ids];
  const reader = new Reader(model, Math.min(nCtx, ids.length + tokens));
  for (let made = 0; made < tokens; made++) {
    checkpoint();
    text.push(
      text.length <= nCtx
        ? await reader.next(text)
        : await afterWindow(model, text.slice(text.length - nCtx)),
    );
  }
  return { ids: text.slice(ids.length) };
};

/** The most likely token after a text that fills the context, all of it read. */
async function afterWindow(model: LoadedModel, window: readonly number[]): Promise<number> {
  const session = await model.session('best', () => bestAtRows(model.config, model.weights));
  const run = await session.run({
    ids: i64(window, [1, window.length]),
    rows: i64([window.length - 1], [1]),
  });
  return whole(run, 'best')[0] ?? 0;
}

/** A layer's keys or values of the tokens read so far: rows of one array that has room for the whole text. */
type Kept = Readonly<Record<'k' | 'v', Float32Array>>;

/** Reads one growing text, each token once. */
class Reader {
  readonly #model: LoadedModel;
  readonly #width: number;
  readonly #kept: readonly Kept[];
  #read = 0;

  constructor(model: LoadedModel, capacity: number) {
    this.#model = model;
    this.#width = keptWidth(model.config);
    this.#kept = Array.from({ length: model.config.nLayer }, () => ({
      k: new Float32Array(capacity * this.#width),
      v: new Float32Array(capacity * this.#width),
    }));
  }

  /** Reads what is new in the text and says what is most likely to follow. */
  async next(text: readonly number[]): Promise<number> {
    const { config, weights } = this.#model;
    const session = await this.#model.session('continue', () => continueGraph(config, weights));
    const fresh = text.slice(this.#read);
    const feeds: Record<string, Value> = {
      ids: i64(fresh, [fresh.length]),
      positions: i64(
        fresh.map((_, i) => this.#read + i),
        [fresh.length],
      ),
    };
    this.#kept.forEach(({ k, v }, layer) => {
      const names = cacheNames(layer);
      feeds[names.pastK] = this.#past(k);
      feeds[names.pastV] = this.#past(v);
    });
    const run = await session.run(feeds);
    this.#kept.forEach(({ k, v }, layer) => {
      const names = cacheNames(layer);
      k.set(floats(run, names.k), this.#read * this.#width);
      v.set(floats(run, names.v), this.#read * this.#width);
    });
    this.#read = text.length;
    return whole(run, 'best')[0] ?? 0;
  }

  #past(kept: Float32Array): Value {
    return f32(kept.subarray(0, this.#read * this.#width), [this.#read, this.#width]);
  }
}

const keptWidth = (config: ModelConfig): number => kvHeads(config) * headWidth(config);
