import { headWidth, isParallel, type ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import { ACTIVATIONS } from './activations.ts';
import type { DecoderFamily, Tap, Weights } from './family.ts';
import { linear, namedNorm, NO_TAP } from './layers.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';

/** Parts of the fused projection: queries, keys, values. */
const PARTS = 3;

/**
 * GPT-NeoX (Black et al. 2022; Pythia, Biderman et al. 2023) under Hugging Face's weight names: two LayerNorms,
 * attention and MLP side by side or one after the other, rotation of the first dimensions of a head, and one
 * projection whose output is laid out by head: [H, 3, dh].
 */
export function neoxFamily(config: ModelConfig): DecoderFamily {
  const { nHead: H, dModel: d, rotary, biases } = config;
  invariant(rotary !== undefined && biases !== undefined, 'a GPT-NeoX configuration has rotary and biases');
  const dh = headWidth(config);
  const norm = namedNorm(layerNorm, config.layerNormEps, true);
  const first = (g: Graph, w: Weights, layer: number, x: Tensor, tap?: Tap): Tensor =>
    norm(g, w, `layers.${layer}.input_layernorm`, x, 'ln1', tap);
  /** Rows [N, H·n·dh] laid out by head → n tensors [N, H·dh]. */
  const apart = (g: Graph, fused: Tensor, n: number): Tensor[] => {
    const N = fused.shape[0] ?? 1;
    const ones = Array.from({ length: n }, () => 1);
    return b
      .split(g, b.reshape(g, fused, [N, H, n, dh]), ones, 2)
      .map((one) => b.reshape(g, one, [N, H * dh]));
  };
  /** Parts [from, to) of the fused projection of x, [N, H·dh] each. */
  const project = (g: Graph, w: Weights, layer: number, x: Tensor, from: number, to: number): Tensor[] => {
    const name = `layers.${layer}.attention.query_key_value`;
    const n = to - from;
    const pick = (weight: Tensor, tail: readonly number[]): Tensor => {
      if (n === PARTS) return weight;
      const byHead = b.reshape(g, weight, [H, PARTS, dh, ...tail]);
      return b.reshape(g, b.slice(g, byHead, 1, from, to), [H * n * dh, ...tail]);
    };
    const bias = biases.qkv ? pick(w(`${name}.bias`), []) : null;
    return apart(g, b.gemm(g, x, pick(w(`${name}.weight`), [d]), bias, { transB: true }), n);
  };

  return {
    parallel: isParallel(config),
    rotate: rotation(rotary, dh),
    embed: (g, w, ids, _positions, tap = NO_TAP) => tap('hook_embed', b.gather(g, w('embed_in.weight'), ids)),
    qkv: (g, w, layer, x, tap) => {
      const [q, k, v] = project(g, w, layer, first(g, w, layer, x, tap), 0, PARTS);
      invariant(q !== undefined && k !== undefined && v !== undefined, 'queries, keys and values');
      return { q, k, v };
    },
    keysValues: (g, w, layer, x) => {
      const [k, v] = project(g, w, layer, first(g, w, layer, x), 1, PARTS);
      invariant(k !== undefined && v !== undefined, 'keys and values');
      return { k, v };
    },
    queries: (g, w, layer, x) => {
      const [q] = project(g, w, layer, first(g, w, layer, x), 0, 1);
      invariant(q !== undefined, 'queries');
      return q;
    },
    attentionOutput: (g, w, layer, z) =>
      linear(g, w, `layers.${layer}.attention.dense`, z, biases.attentionOutput),
    mlp: (g, w, layer, x, tap) => {
      const at = tap ?? NO_TAP;
      const name = `layers.${layer}.mlp`;
      const normalized = norm(g, w, `layers.${layer}.post_attention_layernorm`, x, 'ln2', tap);
      const pre = at('mlp.hook_pre', linear(g, w, `${name}.dense_h_to_4h`, normalized, biases.mlp));
      const post = at('mlp.hook_post', ACTIVATIONS[config.activation](g, pre));
      return { pre, post, out: linear(g, w, `${name}.dense_4h_to_h`, post, biases.mlp) };
    },
    finalNorm: (g, w, x, tap) => norm(g, w, 'final_layer_norm', x, 'ln_final', tap),
    unembedding: (w) => w(config.tiedEmbeddings ? 'embed_in.weight' : 'lm_head.weight'),
    unembeddingBias: () => null,
  };
}
