import { headWidth, type ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import { ACTIVATIONS } from './activations.ts';
import type { DecoderFamily, Tap, Weights } from './family.ts';
import { linear, namedNorm, NO_TAP } from './layers.ts';
import { rmsNorm } from './norms.ts';
import { rotation } from './rotary.ts';

/**
 * Llama (Touvron et al. 2023) and what shares its layers (Mistral, Qwen2), under Hugging Face's weight names:
 * RMSNorm, rotary positions, grouped queries, gated MLP. Linear layers have weights [out, in].
 */
export function llamaFamily(config: ModelConfig): DecoderFamily {
  const { rotary, biases } = config;
  invariant(rotary !== undefined && biases !== undefined, 'a Llama configuration has rotary and biases');
  const act = ACTIVATIONS[config.activation];
  const norm = namedNorm(rmsNorm, config.layerNormEps, false);
  const first = (g: Graph, w: Weights, layer: number, x: Tensor, tap?: Tap): Tensor =>
    norm(g, w, `layers.${layer}.input_layernorm`, x, 'ln1', tap);
  const project = (g: Graph, w: Weights, layer: number, x: Tensor, which: 'q' | 'k' | 'v'): Tensor =>
    linear(g, w, `layers.${layer}.self_attn.${which}_proj`, x, biases.qkv);

  return {
    parallel: false,
    rotate: rotation(rotary, headWidth(config)),
    embed: (g, w, ids, _positions, tap = NO_TAP) =>
      tap('hook_embed', b.gather(g, w('embed_tokens.weight'), ids)),
    qkv: (g, w, layer, x, tap) => {
      const normalized = first(g, w, layer, x, tap);
      return {
        q: project(g, w, layer, normalized, 'q'),
        k: project(g, w, layer, normalized, 'k'),
        v: project(g, w, layer, normalized, 'v'),
      };
    },
    keysValues: (g, w, layer, x) => {
      const normalized = first(g, w, layer, x);
      return { k: project(g, w, layer, normalized, 'k'), v: project(g, w, layer, normalized, 'v') };
    },
    queries: (g, w, layer, x) => project(g, w, layer, first(g, w, layer, x), 'q'),
    attentionOutput: (g, w, layer, z) =>
      linear(g, w, `layers.${layer}.self_attn.o_proj`, z, biases.attentionOutput),
    mlp: (g, w, layer, mid, tap) => {
      const at = tap ?? NO_TAP;
      const name = `layers.${layer}.mlp`;
      const x = norm(g, w, `layers.${layer}.post_attention_layernorm`, mid, 'ln2', tap);
      const pre = at('mlp.hook_pre', linear(g, w, `${name}.gate_proj`, x, biases.mlp));
      const up = linear(g, w, `${name}.up_proj`, x, biases.mlp);
      const post = at('mlp.hook_post', b.mul(g, act(g, pre), up));
      return { pre, post, out: linear(g, w, `${name}.down_proj`, post, biases.mlp) };
    },
    finalNorm: (g, w, x, tap) => norm(g, w, 'norm', x, 'ln_final', tap),
    unembedding: (w) => w(config.tiedEmbeddings ? 'embed_tokens.weight' : 'lm_head.weight'),
    unembeddingBias: () => null,
  };
}
