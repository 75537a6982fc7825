import type { ModelConfig } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import { productDims } from '../graph/shapes.ts';
import { attention, positionsOf } from './attention.ts';
import type { Weights } from './family.ts';
import { familyOf } from './registry.ts';

/**
 * Called with every hook point's TransformerLens name and value, in the order of computation; what it
 * returns goes on in its place. Shapes: see the lines of `decoderForward`. Two kinds of value lie beside
 * the path that is computed (`ln*.hook_scale`, `attn.hook_result`): the path leads through them only where
 * another tensor comes back than was given, so that they cost nothing otherwise. Whoever wants a gradient
 * there returns the value through an Identity.
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
  /** Rows after the final norm, [N, d]; times the unembedding they are the logits. */
  readonly hidden: Tensor;
}

/**
 * A whole decoder on sequences of equal length: ids [B, T] (known or named sizes) → the normalised final rows.
 * N = B·T rows, H heads of width dh, G key/value heads, m MLP width. Sequences that end earlier are padded on
 * the right: under the causal mask what follows a token does not change it.
 */
export function decoderForward(
  g: Graph,
  config: ModelConfig,
  w: Weights,
  ids: Tensor,
  options: DecoderOptions = {},
): DecoderResult {
  const { hook } = options;
  const drop: Dropout = options.dropout ?? ((_, x) => x);
  const family = familyOf(config);
  const N = productDims(ids.shape);
  const positions = positionsOf(g, ids, N);
  const flatIds = g.op('Reshape', [ids, g.ints([-1])], {}, [N]); // [N]

  // hook_embed, hook_pos_embed [N, d]
  let x = drop({ kind: 'embedding' }, family.embed(g, w, flatIds, positions.rows, hook)); // [N, d]
  for (let layer = 0; layer < config.nLayer; layer++) {
    const tap: Hook | undefined = hook && ((point, value) => hook(`blocks.${layer}.${point}`, value));
    const at: Hook = tap ?? ((_, value) => value);

    const pre = at('hook_resid_pre', x); // [N, d]
    const rows = family.qkv(g, w, layer, pre, tap); // ln1.hook_scale [N, 1], ln1.hook_normalized [N, d]
    const dropout =
      options.dropout && ((pattern: Tensor): Tensor => drop({ kind: 'attention', layer }, pattern));
    const written = attention({ g, config, family, w, layer, ids, positions, at: tap, dropout }, rows); // [N, d]
    const attnOut = at('hook_attn_out', drop({ kind: 'attn_out', layer }, written)); // [N, d]
    const attended = b.add(g, pre, attnOut); // [N, d]
    const mid = family.parallel ? pre : at('hook_resid_mid', attended); // [N, d]
    // ln2.hook_scale [N, 1], ln2.hook_normalized [N, d], mlp.hook_pre and mlp.hook_post [N, m]
    const { out } = family.mlp(g, w, layer, mid, tap); // [N, d]
    const mlpOut = at('hook_mlp_out', drop({ kind: 'mlp_out', layer }, out)); // [N, d]
    x = at('hook_resid_post', b.add(g, family.parallel ? attended : mid, mlpOut)); // [N, d]
  }
  // ln_final.hook_scale [N, 1], ln_final.hook_normalized [N, d]
  return { hidden: family.finalNorm(g, w, x, hook) };
}

/** Logits of given rows: hidden [R, d] → [R, vocabulary]. */
export function unembed(g: Graph, config: ModelConfig, w: Weights, hidden: Tensor): Tensor {
  const family = familyOf(config);
  return b.gemm(g, hidden, family.unembedding(w), family.unembeddingBias(w), { transB: true });
}
