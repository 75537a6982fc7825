import { invariant } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import type { DecoderFamily, Weights } from './family.ts';

const ACTIVATIONS: Record<ModelConfig['activation'], (g: Graph, x: Tensor) => Tensor> = {
  gelu_new: (g, x) => b.gelu(g, x, 'tanh'),
  gelu: (g, x) => b.gelu(g, x, 'none'),
  silu: (g, x) => b.mul(g, x, g.op('Sigmoid', [x])),
  relu: (g, x) => g.op('Relu', [x]),
};

/**
 * GPT-2 (Radford et al. 2019) under Hugging Face's weight names. Its `Conv1D` is a linear layer with
 * weights [in, out].
 */
export function gpt2Family(config: ModelConfig): DecoderFamily {
  const { dModel: d, layerNormEps: epsilon } = config;
  const norm = (g: Graph, w: Weights, name: string, x: Tensor): Tensor =>
    b.layerNorm(g, x, w(`${name}.weight`), w(`${name}.bias`), epsilon);
  const linear = (g: Graph, w: Weights, name: string, x: Tensor): Tensor =>
    b.gemm(g, x, w(`${name}.weight`), w(`${name}.bias`));
  /** Columns [from·d, to·d) of the fused projection [d, 3d]: 0 queries, 1 keys, 2 values. */
  const part = (g: Graph, w: Weights, layer: number, x: Tensor, from: number, to: number): Tensor => {
    const name = `h.${layer}.attn.c_attn`;
    const weight = b.slice(g, w(`${name}.weight`), 1, from * d, to * d);
    const bias = b.slice(g, w(`${name}.bias`), 0, from * d, to * d);
    return b.gemm(g, norm(g, w, `h.${layer}.ln_1`, x), weight, bias);
  };

  return {
    parallel: false,
    rotate: null,
    embed: (g, w, ids, positions) =>
      b.add(g, b.gather(g, w('wte.weight'), ids), b.gather(g, w('wpe.weight'), positions)),
    qkv: (g, w, layer, x) => {
      const fused = linear(g, w, `h.${layer}.attn.c_attn`, norm(g, w, `h.${layer}.ln_1`, x));
      const [q, k, v] = b.split(g, fused, [d, d, d], 1);
      invariant(q !== undefined && k !== undefined && v !== undefined, 'c_attn splits into q, k and v');
      return { q, k, v };
    },
    keysValues: (g, w, layer, x) => {
      const [k, v] = b.split(g, part(g, w, layer, x, 1, 3), [d, d], 1);
      invariant(k !== undefined && v !== undefined, 'keys and values');
      return { k, v };
    },
    queries: (g, w, layer, x) => part(g, w, layer, x, 0, 1),
    attentionOutput: (g, w, layer, z) => linear(g, w, `h.${layer}.attn.c_proj`, z),
    mlp: (g, w, layer, mid, tap = (_, x) => x) => {
      const fc = linear(g, w, `h.${layer}.mlp.c_fc`, norm(g, w, `h.${layer}.ln_2`, mid));
      const pre = tap('mlp.hook_pre', fc);
      const post = tap('mlp.hook_post', ACTIVATIONS[config.activation](g, pre));
      return { pre, post, out: linear(g, w, `h.${layer}.mlp.c_proj`, post) };
    },
    finalNorm: (g, w, x) => norm(g, w, 'ln_f', x),
    unembedding: (w) => w(config.tiedEmbeddings ? 'wte.weight' : 'lm_head.weight'),
    unembeddingBias: () => null,
  };
}
