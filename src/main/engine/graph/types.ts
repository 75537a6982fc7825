/**
 * Symbolic tensors. A graph is a list of nodes in topological order over tensors whose shapes are known
 * while the graph is built: each dimension is a number or the name of a size that is fixed at run time.
 */

/** `float16` exists inside graphs only: no value of it crosses the border of a run. */
export type DType = 'float32' | 'float16' | 'int64' | 'bool';

/** A size: known now, or named and known when the graph runs. Equal names mean equal sizes. */
export type Dim = number | string;
export type Shape = readonly Dim[];

export interface Tensor {
  readonly id: number;
  /** Unique within its graph. */
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

export type AttrValue =
  number | string | readonly number[] | { readonly float: number } | { readonly graph: Subgraph };
export type Attrs = Readonly<Record<string, AttrValue>>;

export interface Node {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attrs;
}

/** A graph as an attribute of a node of another one, which runs it: the body of a loop. */
export interface Subgraph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Tensor[];
  readonly initializers: ReadonlyMap<number, Initializer>;
  readonly outputs: readonly { readonly name: string; readonly tensor: Tensor }[];
  /** Tensors of the enclosing graph that are read here, by the id they have here. */
  readonly captures: ReadonlyMap<number, Tensor>;
}

export type TensorData = Float32Array | BigInt64Array | Uint8Array;

/** Where an initializer's values are: in the graph, or in a file (bytes as ONNX raw data lays them out). */
export type Initializer =
  | { readonly kind: 'inline'; readonly tensor: Tensor; readonly data: TensorData }
  | {
      readonly kind: 'external';
      readonly tensor: Tensor;
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    };

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export function shapeText(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function typeText(t: TensorType): string {
  return `${t.dtype}${shapeText(t.shape)}`;
}

/** Number of elements; undefined when a dimension is symbolic. */
export function elements(shape: Shape): number | undefined {
  let n = 1;
  for (const d of shape) {
    if (typeof d === 'string') return undefined;
    n *= d;
  }
  return n;
}

/** The graphs that a node runs. */
export function bodiesOf(node: Node): Subgraph[] {
  return Object.values(node.attrs).flatMap((value) =>
    typeof value === 'object' && 'graph' in value ? [value.graph] : [],
  );
}
