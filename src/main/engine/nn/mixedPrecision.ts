import { invariant } from '../../../shared/errors/index.ts';
import { CAST_TO } from '../graph/builder.ts';
import type { Graph, Node, Tensor, TensorType } from '../graph/index.ts';

/** What gains from a narrower type: products of matrices. Everything else keeps float32, as PyTorch's autocast does. */
const PRODUCTS: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'FusedMatMul']);

/** Whether a product is one of matrices: with a single row or column it is a sum, which keeps float32. */
const worthwhile = ({ op, outputs: [result] }: Node): boolean =>
  PRODUCTS.has(op) && (result?.shape.slice(-2).every((size) => size !== 1) ?? false);

/**
 * Rewrites a graph of known sizes so that every matrix product takes float16 factors and gives float16, cast back at
 * once. What a Gemm adds (a bias, the sum so far) is added in float32. Factors beyond ±65,504 become infinite.
 *
 * Between a cast and a product stands a Reshape to the same shape, which moves nothing: where a provider has no
 * product in float16, the runtime casts back before it and drops casts that meet, and the rounding with them.
 */
export function toMixedPrecision(g: Graph): void {
  const narrow = new Map<number, Tensor>();
  g.rewrite((node, value) => (worthwhile(node) ? new Rewriting(g, value, narrow).product(node) : [node]));
}

/** The nodes that come to stand in the place of one. */
class Rewriting {
  readonly #graph: Graph;
  readonly #value: (name: string, type: TensorType) => Tensor;
  /** Float16 forms that exist already, by the id of the tensor. */
  readonly #narrow: Map<number, Tensor>;
  readonly #nodes: Node[] = [];

  constructor(graph: Graph, value: (name: string, type: TensorType) => Tensor, narrow: Map<number, Tensor>) {
    this.#graph = graph;
    this.#value = value;
    this.#narrow = narrow;
  }

  product(node: Node): readonly Node[] {
    const [a, b, added] = node.inputs;
    const [result] = node.outputs;
    invariant(a !== undefined && b !== undefined && result !== undefined, `${node.op} without factors`);
    const factors = [this.#half(a), this.#half(b)];
    const product = this.#float16(result);
    this.#nodes.push({ op: node.op, inputs: factors, outputs: [product], attrs: node.attrs });
    const wide = added === undefined ? result : this.#value('product', result);
    this.#cast(this.#kept(product), wide, 'float32');
    if (added !== undefined)
      this.#nodes.push({ op: 'Add', inputs: [wide, added], outputs: [result], attrs: {} });
    return this.#nodes;
  }

  #half(x: Tensor): Tensor {
    const known = this.#narrow.get(x.id);
    if (known !== undefined) return known;
    const cast = this.#float16(x);
    this.#cast(x, cast, 'float16');
    const made = this.#kept(cast);
    this.#narrow.set(x.id, made);
    return made;
  }

  #float16({ shape }: Tensor): Tensor {
    return this.#value('half', { dtype: 'float16', shape });
  }

  #cast(from: Tensor, to: Tensor, type: 'float16' | 'float32'): void {
    this.#nodes.push({ op: 'Cast', inputs: [from], outputs: [to], attrs: { to: CAST_TO[type] } });
  }

  /** The same values under another name. */
  #kept(x: Tensor): Tensor {
    const made = this.#float16(x);
    const shape = this.#graph.ints(x.shape.map(Number));
    this.#nodes.push({ op: 'Reshape', inputs: [x, shape], outputs: [made], attrs: {} });
    return made;
  }
}
