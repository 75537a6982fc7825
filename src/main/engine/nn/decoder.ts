import type { ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import { elements, type Dim, type Graph, type Shape, type Tensor } from '../graph/index.ts';
import { productDims } from '../graph/shapes.ts';
import type { Weights } from './family.ts';
import { familyOf } from './registry.ts';

/**
 * Called with every hook point's TransformerLens name and value, in the order of computation; what it
 * returns goes on in its place. Shapes: see the lines of `decoderForward`.
 */
type Hook = (name: string, value: Tensor) => Tensor;

/** Places where dropout acts (GPT-2: embeddings, attention pattern, both residual writes). */
export type DropoutSite =
  | { readonly kind: 'embedding' }
  | { readonly kind: 'attention' | 'attn_out' | 'mlp_out'; readonly layer: number };
export type Dropout = (site: DropoutSite, value: Tensor) => Tensor;

export interface DecoderOptions {
  readonly hook?: Hook;
  readonly dropout?: Dropout;
}

export interface DecoderResult {
  /** Token and position embeddings before anything else, [N, d]. */
  readonly embedded: Tensor;
  /** Rows after the final norm, [N, d]; times the unembedding they are the logits. */
  readonly hidden: Tensor;
}

const MASKED = -1e30;

/** Reshape that works for named sizes too: the shape is put together from `ids` [B, T] at run time. */
function shaped(g: Graph, x: Tensor, ids: Tensor, tail: readonly number[]): Tensor {
  const wanted: Shape = [...ids.shape, ...tail];
  if (elements(wanted) !== undefined) return b.reshape(g, x, wanted);
  const shape = b.concat(g, [g.op('Shape', [ids]), g.ints(tail)], 0);
  return g.op('Reshape', [x, shape], {}, wanted);
}

const flattened = (g: Graph, x: Tensor, rows: Dim, width: number): Tensor =>
  g.op('Reshape', [x, g.ints([-1, width])], {}, [rows, width]);

interface Positions {
  /** Position of every row, [N]. */
  readonly rows: Tensor;
  /** 0 where a query may see a key, a large negative number where not, [T, T]. */
  readonly causal: Tensor;
}

function positionsOf(g: Graph, ids: Tensor, rows: Dim): Positions {
  const [B, T] = ids.shape;
  invariant(B !== undefined && T !== undefined, 'ids are [B, T]');
  if (typeof B === 'number' && typeof T === 'number') {
    const each = BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i % T));
    const mask = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? MASKED : 0));
    return { rows: g.constant('positions', [B * T], each), causal: g.constant('causal', [T, T], mask) };
  }
  const length = b.gather(g, g.op('Shape', [ids]), g.int(1)); // []
  const range = g.op('Range', [g.int(0), length, g.int(1)], {}, [T]); // [T]
  const all = g.op('Expand', [range, g.op('Shape', [ids])], {}, ids.shape); // [B, T]
  const visible = b.lessOrEqual(g, b.unsqueeze(g, range, [0]), b.unsqueeze(g, range, [1])); // [T, T]
  return {
    rows: g.op('Reshape', [all, g.ints([-1])], {}, [rows]),
    causal: b.where(g, visible, 0, MASKED),
  };
}

/**
 * A whole decoder on sequences of equal length: ids [B, T] (known or named sizes) → the normalised final rows.
 * N = B·T rows, H heads of width dh, m MLP width. Sequences that end earlier are padded on the right: under
 * the causal mask what follows a token does not change it.
 */
export function decoderForward(
  g: Graph,
  config: ModelConfig,
  w: Weights,
  ids: Tensor,
  options: DecoderOptions = {},
): DecoderResult {
  const { nHead: H, dModel: d } = config;
  const dh = d / H;
  const hook: Hook = options.hook ?? ((_, x) => x);
  const drop: Dropout = options.dropout ?? ((_, x) => x);
  const family = familyOf(config);
  const N = productDims(ids.shape);
  const positions = positionsOf(g, ids, N);
  const flatIds = g.op('Reshape', [ids, g.ints([-1])], {}, [N]); // [N]

  const embedded = family.embed(g, w, flatIds, positions.rows); // [N, d]
  let x = drop({ kind: 'embedding' }, embedded); // [N, d]
  for (let layer = 0; layer < config.nLayer; layer++) {
    const at = (point: string, value: Tensor): Tensor => hook(`blocks.${layer}.${point}`, value);
    const heads = (point: string, rows: Tensor): Tensor => at(point, shaped(g, rows, ids, [H, dh]));

    const pre = at('hook_resid_pre', x); // [N, d]
    const { q, k, v } = family.qkv(g, w, layer, pre); // [N, H·dh]
    const qh = heads('attn.hook_q', q); // [B, T, H, dh]
    const kh = heads('attn.hook_k', k); // [B, T, H, dh]
    const vh = heads('attn.hook_v', v); // [B, T, H, dh]
    const qt = b.transpose(g, b.mul(g, qh, 1 / Math.sqrt(dh)), [0, 2, 1, 3]); // [B, H, T, dh]
    const kt = b.transpose(g, kh, [0, 2, 3, 1]); // [B, H, dh, T]
    const vt = b.transpose(g, vh, [0, 2, 1, 3]); // [B, H, T, dh]
    const scores = at('attn.hook_attn_scores', b.add(g, b.matmul(g, qt, kt), positions.causal)); // [B, H, T, T]
    const pattern = at('attn.hook_pattern', b.softmax(g, scores)); // [B, H, T, T]
    const mixed = b.matmul(g, drop({ kind: 'attention', layer }, pattern), vt); // [B, H, T, dh]
    const z = at('attn.hook_z', b.transpose(g, mixed, [0, 2, 1, 3])); // [B, T, H, dh]
    const written = family.attentionOutput(g, w, layer, flattened(g, z, N, d)); // [N, d]
    const attnOut = at('hook_attn_out', drop({ kind: 'attn_out', layer }, written)); // [N, d]
    const mid = at('hook_resid_mid', b.add(g, pre, attnOut)); // [N, d]
    const { out } = family.mlp(g, w, layer, mid, at); // [N, d]
    const mlpOut = at('hook_mlp_out', drop({ kind: 'mlp_out', layer }, out)); // [N, d]
    x = at('hook_resid_post', b.add(g, mid, mlpOut)); // [N, d]
  }
  return { embedded, hidden: family.finalNorm(g, w, x) }; // [N, d]
}

/** Logits of given rows: hidden [R, d] → [R, vocabulary]. */
export function unembed(g: Graph, config: ModelConfig, w: Weights, hidden: Tensor): Tensor {
  return b.gemm(g, hidden, familyOf(config).unembedding(w), null, { transB: true });
}
