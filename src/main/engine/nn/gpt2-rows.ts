import { invariant } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import { ACTIVATIONS } from './activations.ts';
import type { DecoderFamily, Weights } from './family.ts';
import { namedNorm, NO_TAP } from './layers.ts';
import { layerNorm } from './norms.ts';

/**
 * GPT-2 (Radford et al. 2019) under Hugging Face's weight names. Its `Conv1D` is a linear layer with
 * weights [in, out].
 */
export function gpt2Family(config: ModelConfig): DecoderFamily {
  const { dModel: d } = config;
  const norm = namedNorm(layerNorm, config.layerNormEps, true);
  const conv1d = (g: Graph, w: Weights, name: string, x: Tensor): Tensor =>
    b.gemm(g, x, w(`${name}.weight`), w(`${name}.bias`));
  /** Columns [from·d, to·d) of the fused projection [d, 3d]: 0 queries, 1 keys, 2 values. */
  const part = (g: Graph, w: Weights, layer: number, x: Tensor, from: number, to: number): Tensor => {
    const name = `h.${layer}.attn.c_attn`;
    const weight = b.slice(g, w(`${name}.weight`), 1, from * d, to * d);
    const bias = b.slice(g, w(`${name}.bias`), 0, from * d, to * d);
    return b.gemm(g, norm(g, w, `h.${layer}.ln_1`, x, 'ln1'), weight, bias);
  };

  return {
    parallel: false,
    rotate: null,
    embed: (g, w, ids, positions, tap = NO_TAP) =>
      b.add(
        g,
        tap('hook_embed', b.gather(g, w('wte.weight'), ids)),
        tap('hook_pos_embed', b.gather(g, w('wpe.weight'), positions)),
      ),
    qkv: (g, w, layer, x, tap) => {
      const normalized = norm(g, w, `h.${layer}.ln_1`, x, 'ln1', tap);
      const [q, k, v] = b.split(g, conv1d(g, w, `h.${layer}.attn.c_attn`, normalized), [d, d, d], 1);
      invariant(q !== undefined && k !== undefined && v !== undefined, 'c_attn splits into q, k and v');
      return { q, k, v };
    },
    keysValues: (g, w, layer, x) => {
      const [k, v] = b.split(g, part(g, w, layer, x, 1, 3), [d, d], 1);
      invariant(k !== undefined && v !== undefined, 'keys and values');
      return { k, v };
    },
    queries: (g, w, layer, x) => part(g, w, layer, x, 0, 1),
    attentionOutput: (g, w, layer, z) => conv1d(g, w, `h.${layer}.attn.c_proj`, z),
    mlp: (g, w, layer, mid, tap) => {
      const at = tap ?? NO_TAP;
      const fc = conv1d(g, w, `h.${layer}.mlp.c_fc`, norm(g, w, `h.${layer}.ln_2`, mid, 'ln2', tap));
      const pre = at('mlp.hook_pre', fc);
      const post = at('mlp.hook_post', ACTIVATIONS[config.activation](g, pre));
      return { pre, post, out: conv1d(g, w, `h.${layer}.mlp.c_proj`, post) };
    },
    finalNorm: (g, w, x, tap) => norm(g, w, 'ln_f', x, 'ln_final', tap),
    unembedding: (w) => w(config.tiedEmbeddings ? 'wte.weight' : 'lm_head.weight'),
    unembeddingBias: () => null,
  };
}
