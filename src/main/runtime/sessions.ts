import { availableParallelism } from 'node:os';
import * as ort from './ort.ts';
import { EngineError, InvariantError, invariant } from '../../shared/errors/index.ts';
import { live, type DType, type Graph, type TensorData } from '../engine/graph/index.ts';
import { toOnnx } from '../engine/onnx/model.ts';
import type { ProviderName } from './providers.ts';

/** A value at the border of a run: row-major data and its shape. */
export interface Value<D extends TensorData = TensorData> {
  readonly data: D;
  readonly dims: readonly number[];
}
export type Feeds = Readonly<Record<string, Value>>;
export type Results = Readonly<Record<string, Value>>;

export interface OpenOptions {
  /** Folder of the files that hold the graph's external weights. */
  readonly folder?: string;
  /**
   * Keeps private, rearranged copies of constant weights: faster at small batches, as much memory again as
   * the weights. Default true.
   */
  readonly prepack?: boolean;
  /**
   * Plans one block of memory for all intermediate values from the second run on. Default true; without it a
   * large graph of fixed shapes takes a quarter less memory, and no more time.
   */
  readonly memoryPattern?: boolean;
}

export interface SessionFactorySettings {
  /** Threads for one run; 0 = one per core. */
  readonly threads: number;
  readonly provider: ProviderName;
}

/** One compiled graph. Runs block this process's thread; nothing else happens until one ends. */
export interface Session {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the graph. `into` names outputs whose values are written into given arrays (views into larger
   * ones are fine); an array may be an input of the same run only where the graph is elementwise.
   * @throws EngineError RUN_FAILED with the runtime's reason.
   */
  run(feeds: Feeds, outputs?: readonly string[], into?: Feeds): Promise<Results>;
  close(): Promise<void>;
}

const ELEMENT: Record<DType, 'float32' | 'int64' | 'bool'> = {
  float32: 'float32',
  int64: 'int64',
  bool: 'bool',
};

function dtypeOf(data: TensorData): DType {
  if (data instanceof Float32Array) return 'float32';
  return data instanceof BigInt64Array ? 'int64' : 'bool';
}

function toTensor(value: Value): ort.Tensor {
  return new ort.Tensor(ELEMENT[dtypeOf(value.data)], value.data, value.dims);
}

function fromTensor(name: string, tensor: ort.OnnxValue): Value {
  const data = tensor.data;
  if (data instanceof Float32Array || data instanceof BigInt64Array || data instanceof Uint8Array) {
    return { data, dims: tensor.dims };
  }
  throw new InvariantError(`output ${name} has type ${tensor.type}`);
}

/** Values for a feed. */
export const f32 = (data: Float32Array, dims: readonly number[]): Value<Float32Array> => ({ data, dims });
/** int64 values from whole numbers, written as little-endian halves: faster than one BigInt after the other. */
export function i64(values: ArrayLike<number>, dims: readonly number[]): Value<BigInt64Array> {
  const halves = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const v = values[i] ?? 0;
    halves[2 * i] = v;
    halves[2 * i + 1] = v < 0 ? -1 : 0;
  }
  return { data: new BigInt64Array(halves.buffer), dims };
}
export const scalarOf = (value: number): Value<Float32Array> => ({ data: Float32Array.of(value), dims: [] });

/** The float32 output `name` of a run. */
export function floats(results: Results, name: string): Float32Array {
  const data = results[name]?.data;
  invariant(data instanceof Float32Array, `no float32 output ${name}`);
  return data;
}

/** The int64 output `name` of a run, as numbers. */
export function whole(results: Results, name: string): number[] {
  const data = results[name]?.data;
  invariant(data instanceof BigInt64Array, `no int64 output ${name}`);
  return Array.from(data, Number);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}

/**
 * Opens sessions with one set of options. `force_spinning_stop` keeps the thread pools of many sessions from
 * spinning against each other; `set_denormal_as_zero` avoids the slow path of tiny numbers and must be set
 * from the process's first session on.
 */
export class SessionFactory {
  readonly threads: number;
  readonly #asked: ProviderName;
  #provider: ProviderName;
  #notice: string | null = null;

  constructor(settings: SessionFactorySettings) {
    this.threads = settings.threads > 0 ? settings.threads : availableParallelism();
    this.#asked = settings.provider;
    this.#provider = settings.provider;
  }

  /** The provider in use: the one asked for, or `cpu` once that one failed. */
  get provider(): ProviderName {
    return this.#provider;
  }

  /** Why the CPU stands in for the provider asked for; null while it does not. */
  get notice(): string | null {
    return this.#notice;
  }

  /** Compiles a graph. @throws EngineError SESSION_FAILED when the runtime refuses it on the CPU too. */
  async open(graph: Graph, options: OpenOptions = {}): Promise<Session> {
    const bytes = toOnnx(graph);
    const names = {
      inputs: live(graph).inputs.map((t) => t.name),
      outputs: graph.outputs.map((o) => o.name),
    };
    if (this.#provider !== 'cpu') {
      try {
        return new OrtSession(graph.name, names, await this.#create(bytes, this.#provider, options));
      } catch (error) {
        this.#provider = 'cpu';
        this.#notice = `The ${this.#asked} provider could not be used (${reasonOf(error).slice(0, 300)}); the CPU computes instead.`;
      }
    }
    try {
      return new OrtSession(graph.name, names, await this.#create(bytes, 'cpu', options));
    } catch (error) {
      throw new EngineError(
        'SESSION_FAILED',
        `The graph "${graph.name}" could not be prepared: ${reasonOf(error)}.`,
        'Free some memory or lower the memory limit in the settings; if it happens again, report it with the log.',
        error,
      );
    }
  }

  #create(bytes: Uint8Array, provider: ProviderName, options: OpenOptions): Promise<ort.InferenceSession> {
    const session: Record<string, string> = { force_spinning_stop: '1', set_denormal_as_zero: '1' };
    if (options.folder !== undefined) {
      session['model_external_initializers_file_folder_path'] = options.folder;
    }
    if (options.prepack === false) session['disable_prepacking'] = '1';
    return ort.InferenceSession.create(bytes, {
      // Alone: with the CPU beside it a missing provider would be dropped without a word. Ops that a provider
      // lacks run on the CPU anyway.
      executionProviders: [provider],
      graphOptimizationLevel: 'all',
      enableMemPattern: options.memoryPattern !== false,
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      extra: { session },
    });
  }
}

class OrtSession implements Session {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly #session: ort.InferenceSession;

  constructor(
    name: string,
    names: { inputs: readonly string[]; outputs: readonly string[] },
    session: ort.InferenceSession,
  ) {
    this.name = name;
    this.inputs = names.inputs;
    this.outputs = names.outputs;
    this.#session = session;
  }

  async run(feeds: Feeds, outputs: readonly string[] = this.outputs, into: Feeds = {}): Promise<Results> {
    const inputs: Record<string, ort.Tensor> = {};
    for (const name of this.inputs) {
      const value = feeds[name];
      invariant(value !== undefined, `graph ${this.name}: input ${name} is not fed`);
      inputs[name] = toTensor(value);
    }
    const fetches: Record<string, ort.Tensor | null> = {};
    for (const name of outputs) {
      const place = into[name];
      fetches[name] = place === undefined ? null : toTensor(place);
    }
    let raw: ort.InferenceSession.OnnxValueMapType;
    try {
      raw = await this.#session.run(inputs, fetches);
    } catch (error) {
      throw new EngineError(
        'RUN_FAILED',
        `The computation "${this.name}" failed: ${reasonOf(error)}.`,
        'If memory ran out, use a smaller batch or shorter sequences; otherwise report it with the log.',
        error,
      );
    }
    const results: Record<string, Value> = {};
    for (const name of outputs) {
      const tensor = raw[name];
      invariant(tensor !== undefined, `graph ${this.name}: no output ${name}`);
      results[name] = fromTensor(name, tensor);
    }
    return results;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
