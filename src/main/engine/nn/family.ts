import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/** The weight of that canonical name, as a tensor of the graph under construction (the same one at every call). */
export type Weights = (name: string) => Tensor;

/** Sees the value at a hook point inside a block (`mlp.hook_pre`, `mlp.hook_post`) and may replace it. */
export type Tap = (point: string, value: Tensor) => Tensor;

/**
 * A decoder's layers as functions of rows. A row is one token of one run, so that the same pieces serve
 * whole prompts and packed fragments of many patched runs. N rows, d model width, H heads of width dh,
 * m MLP width. What mixes rows (attention itself) is not here.
 */
export interface DecoderFamily {
  /** Token and position embeddings: ids [N], positions [N] → residual stream [N, d]. */
  embed(g: Graph, w: Weights, ids: Tensor, positions: Tensor): Tensor;
  /** First LayerNorm and projections: x [N, d] → q, k, v, each [N, H·dh]. */
  qkv(g: Graph, w: Weights, layer: number, x: Tensor): { q: Tensor; k: Tensor; v: Tensor };
  /** As `qkv`, for rows whose queries are not needed. */
  keysValues(g: Graph, w: Weights, layer: number, x: Tensor): { k: Tensor; v: Tensor };
  /** As `qkv`, for rows whose keys and values are not needed. */
  queries(g: Graph, w: Weights, layer: number, x: Tensor): Tensor;
  /** Output projection: z [N, H·dh] → attn_out [N, d]. */
  attentionOutput(g: Graph, w: Weights, layer: number, z: Tensor): Tensor;
  /** Second LayerNorm and MLP: resid_mid [N, d] → pre [N, m], post [N, m], mlp_out [N, d]. */
  mlp(
    g: Graph,
    w: Weights,
    layer: number,
    mid: Tensor,
    tap?: Tap,
  ): { pre: Tensor; post: Tensor; out: Tensor };
  finalNorm(g: Graph, w: Weights, x: Tensor): Tensor;
  /** Unembedding rows [vocabulary, d]. */
  unembedding(w: Weights): Tensor;
}

export type FamilyBuilder = (config: ModelConfig) => DecoderFamily;
