import type { Graph } from '../graph/index.ts';

/** A dense array with its sizes, as it crosses into a compiled graph. */
export interface Feed {
  readonly data: Float32Array | BigInt64Array;
  readonly dims: readonly number[];
}

/** A graph that runs. Results are float32, row-major. */
export interface CompiledGraph {
  run(
    feeds: Readonly<Record<string, Feed>>,
    fetches: readonly string[],
  ): Promise<Record<string, Float32Array>>;
  /** Frees what it holds; no run may follow. Absent where graphs live as long as their model. */
  readonly close?: () => Promise<void>;
}

/** Where a weight's bytes lie. */
export interface WeightPlace {
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** What the engine needs of whoever runs graphs: the runtime gives it, and tests can too. */
export interface GraphCompiler {
  /** `shared`: the weights stay as they lie in the file, where the runtime would otherwise copy them for speed. */
  compile(graph: Graph, options?: { readonly shared?: boolean }): Promise<CompiledGraph>;
  weight(name: string): WeightPlace;
}

export function floats(data: Float32Array, dims: readonly number[]): Feed {
  return { data, dims };
}

/** int64 feed from whole numbers: little-endian halves written directly, which is faster than BigInt by BigInt. */
export function ints(values: Int32Array | readonly number[], dims: readonly number[]): Feed {
  const halves = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const v = values[i] ?? 0;
    halves[2 * i] = v;
    halves[2 * i + 1] = v < 0 ? -1 : 0;
  }
  return { data: new BigInt64Array(halves.buffer), dims };
}
