import { availableParallelism } from 'node:os';
import * as ort from './ort.ts';
import { EngineError, InvariantError, invariant } from '../../shared/errors/index.ts';
import { live, type DType, type Graph, type TensorData } from '../engine/graph/index.ts';
import { toOnnx } from '../engine/onnx/model.ts';
import { PROVIDER_TOLERANCE, ProviderInUse, reasonOf } from './providerInUse.ts';
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
  /**
   * Keeps the memory of a run for the next one. Default true; without it many sessions that each run now and
   * then do not each hold their largest batch.
   */
  readonly keepMemory?: boolean;
}

export interface SessionFactorySettings {
  /** Threads for one run; 0 = one per core. */
  readonly threads: number;
  readonly provider: ProviderName;
}

/** Compiles a graph on one provider, whatever happens. */
export type Open = (graph: Graph, options?: OpenOptions) => Promise<Session>;

/**
 * Computes something whose values are known with sessions that `open` makes; returns the largest difference as
 * a share of the largest value.
 */
export type ProviderCheck = (open: Open) => Promise<number>;

/** One compiled graph. Runs block this process's thread; nothing else happens until one ends. */
export interface Session {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /**
   * Runs the graph. `into` names outputs whose values are written into given arrays (views into larger
   * ones are fine); an array may be an input of the same run only where the graph is elementwise.
   * @throws EngineError RUN_FAILED with the runtime's reason, PROVIDER_LOST where a provider other than the CPU fails.
   */
  run(feeds: Feeds, outputs?: readonly string[], into?: Feeds): Promise<Results>;
  close(): Promise<void>;
}

/** What crosses the border of a run; float16 does not. */
type BorderType = Exclude<DType, 'float16'>;

const ELEMENT: Record<BorderType, BorderType> = {
  float32: 'float32',
  int64: 'int64',
  bool: 'bool',
};

function dtypeOf(data: TensorData): BorderType {
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

/** Runs, and the bytes of what was fed to them and of what they gave. */
export interface Crossings {
  runs: number;
  bytesIn: number;
  bytesOut: number;
}

/** Bytes of values. */
export function byteCount(values: Feeds): number {
  return Object.values(values).reduce((sum, { data }) => sum + data.byteLength, 0);
}

/**
 * Opens sessions with one set of options. `force_spinning_stop` keeps the thread pools of many sessions from
 * spinning against each other; `set_denormal_as_zero` avoids the slow path of tiny numbers and must be set
 * from the process's first session on.
 */
export class SessionFactory {
  readonly threads: number;
  /** What has crossed the border of runs so far, of all sessions together. */
  readonly crossings: Crossings = { runs: 0, bytesIn: 0, bytesOut: 0 };
  readonly #check: ProviderCheck | null;
  readonly #use: ProviderInUse;
  #proof: Promise<void> | null = null;

  /** `check` proves a provider other than the CPU before it computes anything. */
  constructor(settings: SessionFactorySettings, check: ProviderCheck | null = null) {
    this.#check = check;
    this.threads = settings.threads > 0 ? settings.threads : availableParallelism();
    this.#use = new ProviderInUse(settings.provider);
  }

  get asked(): ProviderName {
    return this.#use.asked;
  }

  /** The provider in use: the one asked for, or `cpu` once that one failed. */
  get provider(): ProviderName {
    return this.#use.name;
  }

  /** Why the CPU stands in for the provider asked for; null while it does not. */
  get notice(): string | null {
    return this.#use.notice;
  }

  /**
   * Proves the provider asked for, once: it must load and agree with known values, or the CPU stands in. Done by
   * the first `open`; called earlier by whoever wants to know the provider that will be used.
   */
  prove(): Promise<void> {
    this.#proof ??= this.#prove();
    return this.#proof;
  }

  async #prove(): Promise<void> {
    if (this.#use.name !== 'cpu' && this.#check !== null)
      await this.compare(this.#check, 'a small known model');
  }

  /** Runs a check on the provider in use; where it fails or disagrees with the CPU, the CPU computes from now on. */
  async compare(check: ProviderCheck, what: string): Promise<void> {
    const provider = this.#use.name;
    try {
      const difference = await check((graph, options = {}) => this.openOn(provider, graph, options));
      if (difference <= PROVIDER_TOLERANCE) return;
      this.#use.fallBack(
        `differs from the CPU by ${difference.toExponential(1)} of the largest value on ${what}; ${PROVIDER_TOLERANCE} is allowed`,
      );
    } catch (error) {
      this.#use.fallBack(`could not be used: ${reasonOf(error).slice(0, 300)}`);
    }
  }

  /** Compiles a graph on a provider, without a substitute. @throws what the runtime says. */
  async openOn(provider: ProviderName, graph: Graph, options: OpenOptions = {}): Promise<Session> {
    const names = {
      inputs: live(graph).inputs.map((t) => t.name),
      outputs: graph.outputs.map((o) => o.name),
    };
    const lost = (error: unknown): EngineError => this.#lost(graph.name, provider, error);
    const session = await this.#create(toOnnx(graph), provider, options);
    return new OrtSession(graph.name, names, session, lost, this.crossings);
  }

  /** A run that failed. A provider that was proven and fails in the middle is given up for this process. */
  #lost(graph: string, provider: ProviderName, error: unknown): EngineError {
    const reason = reasonOf(error);
    if (provider === 'cpu') {
      return new EngineError(
        'RUN_FAILED',
        `The computation "${graph}" failed: ${reason}.`,
        'If memory ran out, use a smaller batch or shorter sequences; otherwise report it with the log.',
        error,
      );
    }
    this.#use.fallBack(`failed during "${graph}": ${reason.slice(0, 300)}`);
    return new EngineError(
      'PROVIDER_LOST',
      `The ${provider} provider failed during "${graph}": ${reason}.`,
      'Start it again: the CPU computes from now on, and what was stored is kept.',
      error,
    );
  }

  /** Compiles a graph. @throws EngineError SESSION_FAILED when the runtime refuses it on the CPU too. */
  async open(graph: Graph, options: OpenOptions = {}): Promise<Session> {
    await this.prove();
    if (this.#use.name !== 'cpu') {
      try {
        return await this.openOn(this.#use.name, graph, options);
      } catch (error) {
        this.#use.fallBack(`could not prepare "${graph.name}": ${reasonOf(error).slice(0, 300)}`);
      }
    }
    try {
      return await this.openOn('cpu', graph, options);
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
      enableMemPattern: options.memoryPattern !== false && options.keepMemory !== false,
      enableCpuMemArena: options.keepMemory !== false,
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
  readonly #failure: (error: unknown) => EngineError;
  readonly #crossings: Crossings;

  constructor(
    name: string,
    names: { inputs: readonly string[]; outputs: readonly string[] },
    session: ort.InferenceSession,
    failure: (error: unknown) => EngineError,
    crossings: Crossings,
  ) {
    this.name = name;
    this.inputs = names.inputs;
    this.outputs = names.outputs;
    this.#session = session;
    this.#failure = failure;
    this.#crossings = crossings;
  }

  async run(feeds: Feeds, outputs: readonly string[] = this.outputs, into: Feeds = {}): Promise<Results> {
    const inputs: Record<string, ort.Tensor> = {};
    let bytesIn = 0;
    for (const name of this.inputs) {
      const value = feeds[name];
      invariant(value !== undefined, `graph ${this.name}: input ${name} is not fed`);
      inputs[name] = toTensor(value);
      bytesIn += value.data.byteLength;
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
      throw this.#failure(error);
    }
    const results: Record<string, Value> = {};
    for (const name of outputs) {
      const tensor = raw[name];
      invariant(tensor !== undefined, `graph ${this.name}: no output ${name}`);
      results[name] = fromTensor(name, tensor);
    }
    this.#crossings.runs += 1;
    this.#crossings.bytesIn += bytesIn;
    this.#crossings.bytesOut += byteCount(results);
    return results;
  }

  close(): Promise<void> {
    return this.#session.release();
  }
}
