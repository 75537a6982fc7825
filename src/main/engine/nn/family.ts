import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/** The weight of that canonical name, as a tensor of the graph under construction (the same one at every call). */
export type Weights = (name: string) => Tensor;

/**
 * Sees the value at a hook point and may replace it. Points are named without the block: `ln1.hook_scale`,
 * `ln1.hook_normalized`, `attn.hook_q|k|v|result`, `ln2.hook_…`, `mlp.hook_pre|post`; at the ends
 * `hook_embed`, `hook_pos_embed`, `ln_final.hook_…`.
 */
export type Tap = (point: string, value: Tensor) => Tensor;

/**
 * A decoder's layers as functions of rows. A row is one token of one run, so that the same pieces serve
 * whole prompts and packed fragments of many patched runs. N rows, d model width, H heads of width dh,
 * G key/value heads, m MLP width. What mixes rows (attention itself) is not here.
 */
export interface DecoderFamily {
  /** Attention and MLP read the same residual stream side by side (GPT-J, GPT-NeoX): there is no resid_mid. */
  readonly parallel: boolean;
  /** Token (and learned position) embeddings: ids [N], positions [N] → residual stream [N, d]. */
  embed(g: Graph, w: Weights, ids: Tensor, positions: Tensor, tap?: Tap): Tensor;
  /** First norm and projections: x [N, d] → q [N, H·dh], k and v [N, G·dh], before any rotation. */
  qkv(g: Graph, w: Weights, layer: number, x: Tensor, tap?: Tap): { q: Tensor; k: Tensor; v: Tensor };
  /** As `qkv`, for rows whose queries are not needed. */
  keysValues(g: Graph, w: Weights, layer: number, x: Tensor): { k: Tensor; v: Tensor };
  /** As `qkv`, for rows whose keys and values are not needed. */
  queries(g: Graph, w: Weights, layer: number, x: Tensor): Tensor;
  /** Rotates query or key rows [N, heads·dh] by their positions [N]; null where positions are learned. */
  readonly rotate: ((g: Graph, rows: Tensor, positions: Tensor, heads: number) => Tensor) | null;
  /** Output projection: z [N, H·dh] → attn_out [N, d]. */
  attentionOutput(g: Graph, w: Weights, layer: number, z: Tensor): Tensor;
  /** Norm and MLP: x [N, d] (resid_mid, or resid_pre where `parallel`) → pre [N, m], post [N, m], mlp_out [N, d]. */
  mlp(g: Graph, w: Weights, layer: number, x: Tensor, tap?: Tap): { pre: Tensor; post: Tensor; out: Tensor };
  finalNorm(g: Graph, w: Weights, x: Tensor, tap?: Tap): Tensor;
  /** Unembedding rows [vocabulary, d]. */
  unembedding(w: Weights): Tensor;
  /** Bias of the logits [vocabulary] (GPT-J); null where there is none. */
  unembeddingBias(w: Weights): Tensor | null;
}

export type FamilyBuilder = (config: ModelConfig) => DecoderFamily;
