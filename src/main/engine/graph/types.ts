/**
 * Symbolic tensors. A graph is a list of nodes in topological order over tensors whose shapes are known
 * while the graph is built: each dimension is a number or the name of a size that is fixed at run time.
 */

export type DType = 'float32' | 'int64' | 'bool';

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

export type AttrValue = number | string | readonly number[] | { readonly float: number };
export type Attrs = Readonly<Record<string, AttrValue>>;

export interface Node {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attrs;
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
