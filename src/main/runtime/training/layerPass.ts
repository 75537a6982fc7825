import {
  arrivedName,
  embeddingBackward,
  embeddingForward,
  headBackward,
  layerBackward,
  layerForward,
} from '../../engine/nn/layerGraphs.ts';
import { gradientName } from '../../engine/nn/trainGraph.ts';
import { layerWorkBytes } from '../../engine/nn/trainingCost.ts';
import { f32, floats, type Value } from '../sessions.ts';
import { addInto } from './optimizer.ts';
import type { Slot } from './parameters.ts';
import { PartCompiler, type CompiledPart } from './parts.ts';
import { batchFeeds, graphOptions, maskFeeds, type Pass, type PassBatch, type PassContext } from './pass.ts';

/** The parts for one shape of batch. */
interface Shape {
  readonly compiler: PartCompiler;
  readonly embed: CompiledPart;
  readonly layers: readonly { readonly forward: CompiledPart; readonly backward: CompiledPart }[];
  readonly head: CompiledPart;
  readonly embedBack: CompiledPart;
  readonly bytes: number;
}

/** A gradient that a part gives: where it goes, and the run's own place for it where it must not go there at once. */
interface Landing {
  readonly name: string;
  readonly home: Slot;
  readonly detour: Float32Array | null;
  readonly settle: (home: Float32Array, detour: Float32Array) => void;
}

type Values = Readonly<Record<string, Value>>;

/**
 * Layer by layer: forward, keeping only what enters each layer, then backward, computing each layer anew. Takes
 * the memory of one layer's activations in place of that of all. Layers of like structure share their
 * compiled forms.
 */
export class LayerPass implements Pass {
  readonly #context: PassContext;
  readonly #parameters: Values;
  /** In the order of last use. */
  readonly #shapes = new Map<string, Shape>();
  /** What enters each layer, what leaves the last, and two gradients. */
  readonly #streams: Float32Array[] = [];
  #scratch = new Float32Array(0);

  constructor(context: PassContext) {
    this.#context = context;
    this.#parameters = context.store.feeds(context.store.values);
  }

  async run({ batch, key, adding }: PassBatch, between: () => void): Promise<number> {
    const { config, dropout } = this.#context;
    const { embed, layers, head, embedBack } = await this.#open(batch.rows, batch.width);
    const common = { ...this.#parameters, ...batchFeeds(batch) };
    const masks = new Map<string, Value>();
    const step = async (part: CompiledPart, own: Values, into: Values = {}): Promise<number> => {
      between();
      const missing = part.masks.filter(({ name }) => !masks.has(name));
      for (const [name, mask] of Object.entries(maskFeeds(missing, key, dropout))) masks.set(name, mask);
      return this.#runPart(part, { ...common, ...Object.fromEntries(masks), ...own }, into, adding);
    };
    const stream = (i: number): Value => this.#stream(i, batch.rows * batch.width, config.dModel);

    const depth = layers.length;
    await step(embed, {}, { y: stream(0) });
    for (const [i, { forward }] of layers.entries())
      await step(forward, { x: stream(i) }, { y: stream(i + 1) });
    let [dy, dx] = [stream(depth + 1), stream(depth + 2)];
    const loss = await step(head, { x: stream(depth) }, { dx: dy });
    for (const [i, { backward }] of [...layers.entries()].reverse()) {
      await step(backward, { x: stream(i), dy }, { dx });
      [dy, dx] = [dx, dy];
      for (const { name } of backward.masks) masks.delete(name);
    }
    await step(embedBack, { dy });
    return loss;
  }

  async close(): Promise<void> {
    const all = [...this.#shapes.values()];
    this.#shapes.clear();
    for (const { compiler } of all) await compiler.close();
  }

  /** Runs a part and puts its gradients into the store, or adds them; returns its loss, 0 where it has none. */
  async #runPart(part: CompiledPart, feeds: Values, into: Values, adding: boolean): Promise<number> {
    const landings = this.#landings(part, adding);
    const arrived: Record<string, Value> = {};
    const places: Record<string, Value> = {};
    for (const { name, home, detour } of landings) {
      arrived[arrivedName(name)] = f32(home.values, home.shape);
      places[gradientName(name)] = f32(detour ?? home.values, home.shape);
    }
    const results = await part.run({ ...feeds, ...arrived }, { ...into, ...places });
    for (const { home, detour, settle } of landings) if (detour !== null) settle(home.values, detour);
    return results['loss'] === undefined ? 0 : (floats(results, 'loss')[0] ?? NaN);
  }

  /**
   * A gradient goes straight into the store, unless an earlier batch's is there to be added to, or the graph reads
   * what is there while it writes.
   */
  #landings(part: CompiledPart, adding: boolean): Landing[] {
    const { store } = this.#context;
    const wanted = part.gives.map((name) => {
      const home = store.slot(store.gradients, name);
      return { name, home, reads: part.inputs.includes(arrivedName(name)) };
    });
    const aside = wanted.filter(({ reads }) => reads || adding);
    const size = aside.reduce((sum, { home }) => sum + home.values.length, 0);
    if (this.#scratch.length < size) this.#scratch = new Float32Array(size);
    let at = 0;
    return wanted.map(({ name, home, reads }) => {
      if (!reads && !adding) return { name, home, detour: null, settle: addInto };
      const detour = this.#scratch.subarray(at, (at += home.values.length));
      return { name, home, detour, settle: reads ? replace : addInto };
    });
  }

  /** Array i of the streams, grown to the largest batch so far. */
  #stream(i: number, rows: number, width: number): Value {
    const known = this.#streams[i];
    const array =
      known !== undefined && known.length >= rows * width ? known : new Float32Array(rows * width);
    this.#streams[i] = array;
    return f32(array.subarray(0, rows * width), [rows, width]);
  }

  async #open(rows: number, width: number): Promise<Shape> {
    const key = `${rows}x${width}`;
    const known = this.#shapes.get(key);
    if (known !== undefined) {
      this.#shapes.delete(key);
      this.#shapes.set(key, known);
      return known;
    }
    const bytes = layerWorkBytes(this.#context.config, rows, width);
    await this.#makeRoom(bytes);
    const made = { ...(await this.#compile(rows, width)), bytes };
    this.#shapes.set(key, made);
    return made;
  }

  async #compile(rows: number, width: number): Promise<Omit<Shape, 'bytes'>> {
    const { config, sessions } = this.#context;
    const options = graphOptions(this.#context, rows, width);
    const compiler = new PartCompiler(sessions);
    const head = headBackward(options);
    const embedBack = embeddingBackward(options, []);
    const shared = embedBack.gives.filter((name) => head.gives.includes(name));
    const layers = [];
    for (let layer = 0; layer < config.nLayer; layer++) {
      layers.push({
        forward: await compiler.compile(layerForward(options, layer)),
        backward: await compiler.compile(layerBackward(options, layer)),
      });
    }
    return {
      compiler,
      embed: await compiler.compile(embeddingForward(options)),
      layers,
      head: await compiler.compile(head),
      embedBack: await compiler.compile(embeddingBackward(options, shared)),
    };
  }

  async #makeRoom(bytes: number): Promise<void> {
    let used = [...this.#shapes.values()].reduce((sum, s) => sum + s.bytes, 0);
    for (const [key, oldest] of this.#shapes) {
      if (used + bytes <= this.#context.workBytes) return;
      this.#shapes.delete(key);
      used -= oldest.bytes;
      await oldest.compiler.close();
    }
  }
}

const replace: Landing['settle'] = (home, detour) => {
  home.set(detour);
};
