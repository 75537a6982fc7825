import { invariant } from '../../../shared/errors/index.ts';
import { CAST_TO } from '../graph/builder.ts';
import type { Graph, Node, Tensor, TensorType } from '../graph/index.ts';

/** What gains from a narrower type: products of matrices. Everything else keeps float32, as PyTorch's autocast does. */
const PRODUCTS: ReadonlySet<string> = new Set(['Gemm', 'MatMul', 'FusedMatMul']);

type Value = (name: string, type: TensorType) => Tensor;

/**
 * Rewrites a graph so that every matrix product takes float16 factors and gives float16, cast back at once. What a
 * Gemm adds (a bias, the sum so far) is added in float32. Factors beyond ±65,504 become infinite.
 */
export function toMixedPrecision(g: Graph): void {
  const narrow = new Map<number, Tensor>();
  g.rewrite((node, value) => (PRODUCTS.has(node.op) ? productInHalf(node, value, narrow) : [node]));
}

function productInHalf(node: Node, value: Value, narrow: Map<number, Tensor>): Node[] {
  const [a, b, added] = node.inputs;
  const [result] = node.outputs;
  invariant(a !== undefined && b !== undefined && result !== undefined, `${node.op} without factors`);
  const casts: Node[] = [];
  const half = (x: Tensor): Tensor => {
    const known = narrow.get(x.id);
    if (known !== undefined) return known;
    const made = value('half', { dtype: 'float16', shape: x.shape });
    casts.push({ op: 'Cast', inputs: [x], outputs: [made], attrs: { to: CAST_TO.float16 } });
    narrow.set(x.id, made);
    return made;
  };
  const factors = [half(a), half(b)];
  const product = value('half_product', { dtype: 'float16', shape: result.shape });
  const wide = added === undefined ? result : value('product', result);
  return [
    ...casts,
    { op: node.op, inputs: factors, outputs: [product], attrs: node.attrs },
    { op: 'Cast', inputs: [product], outputs: [wide], attrs: { to: CAST_TO.float32 } },
    ...(added === undefined ? [] : [{ op: 'Add', inputs: [wide, added], outputs: [result], attrs: {} }]),
  ];
}
