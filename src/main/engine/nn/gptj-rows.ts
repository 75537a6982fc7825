import { headWidth, isParallel, type ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import { ACTIVATIONS } from './activations.ts';
import type { DecoderFamily, Weights } from './family.ts';
import { linear, namedNorm, NO_TAP } from './layers.ts';
import { layerNorm } from './norms.ts';
import { rotation } from './rotary.ts';

/**
 * GPT-J (Wang & Komatsuzaki 2021) under Hugging Face's weight names: attention and MLP side by side behind one
 * LayerNorm, rotation of neighbouring dimensions, no biases in attention, a bias on the logits. The norm has
 * the hook points `ln1` where attention reads it and `ln2` where the MLP does.
 */
export function gptjFamily(config: ModelConfig): DecoderFamily {
  const { rotary } = config;
  invariant(rotary !== undefined, 'a GPT-J configuration has rotary');
  const norm = namedNorm(layerNorm, config.layerNormEps, true);
  const project = (g: Graph, w: Weights, layer: number, x: Tensor, which: 'q' | 'k' | 'v'): Tensor =>
    linear(g, w, `h.${layer}.attn.${which}_proj`, x, false);

  return {
    parallel: isParallel(config),
    rotate: rotation(rotary, headWidth(config)),
    embed: (g, w, ids, _positions, tap = NO_TAP) => tap('hook_embed', b.gather(g, w('wte.weight'), ids)),
    qkv: (g, w, layer, x, tap) => {
      const normalized = norm(g, w, `h.${layer}.ln_1`, x, 'ln1', tap);
      return {
        q: project(g, w, layer, normalized, 'q'),
        k: project(g, w, layer, normalized, 'k'),
        v: project(g, w, layer, normalized, 'v'),
      };
    },
    keysValues: (g, w, layer, x) => {
      const normalized = norm(g, w, `h.${layer}.ln_1`, x, 'ln1');
      return { k: project(g, w, layer, normalized, 'k'), v: project(g, w, layer, normalized, 'v') };
    },
    queries: (g, w, layer, x) => project(g, w, layer, norm(g, w, `h.${layer}.ln_1`, x, 'ln1'), 'q'),
    attentionOutput: (g, w, layer, z) => linear(g, w, `h.${layer}.attn.out_proj`, z, false),
    mlp: (g, w, layer, x, tap) => {
      const at = tap ?? NO_TAP;
      const normalized = norm(g, w, `h.${layer}.ln_1`, x, 'ln2', tap);
      const pre = at('mlp.hook_pre', linear(g, w, `h.${layer}.mlp.fc_in`, normalized, true));
      const post = at('mlp.hook_post', ACTIVATIONS[config.activation](g, pre));
      return { pre, post, out: linear(g, w, `h.${layer}.mlp.fc_out`, post, true) };
    },
    finalNorm: (g, w, x, tap) => norm(g, w, 'ln_f', x, 'ln_final', tap),
    unembedding: (w) => w(config.tiedEmbeddings ? 'wte.weight' : 'lm_head.weight'),
    unembeddingBias: (w) => w('lm_head.bias'),
  };
}
