import { z } from 'zod';
import type { FolderFamily, WeightSpec } from './family.ts';
import {
  activationOf,
  headsDivide,
  normWeights,
  parsedConfig,
  size,
  specialToken,
  tokenId,
  unsupported,
  WEIGHT_STD,
} from './parts.ts';

/** Keys that decide the computation, with transformers' defaults for absent ones (`GPT2Config`). */
const Gpt2Json = z.object({
  vocab_size: size.default(50257),
  n_positions: size.optional(),
  n_ctx: size.optional(),
  n_embd: size.default(768),
  n_layer: size.default(12),
  n_head: size.default(12),
  n_inner: size.nullish(),
  activation_function: z.string().default('gelu_new'),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.boolean().default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.boolean().default(false),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
});

/** Standard deviation of fresh position embeddings (Radford et al. 2019 and their code). */
const POSITION_STD = 0.01;

const BLOCK_PREFIX = 'transformer.';
const DEFAULT_END_OF_TEXT = 50256;

export const gpt2: FolderFamily = {
  family: 'gpt2',
  modelTypes: ['gpt2'],
  label: 'GPT-2',

  parse(json, path) {
    const c = parsedConfig(Gpt2Json, json, path);
    headsDivide(c.n_embd, c.n_head, path);
    const activation = activationOf('activation_function', c.activation_function, path);
    if (!c.scale_attn_weights) throw unsupported(path, 'scale_attn_weights false', 'true');
    if (c.scale_attn_by_inverse_layer_idx)
      throw unsupported(path, 'scale_attn_by_inverse_layer_idx true', 'false');
    if (c.add_cross_attention) throw unsupported(path, 'add_cross_attention true', 'false');
    return {
      family: 'gpt2',
      nLayer: c.n_layer,
      nHead: c.n_head,
      dModel: c.n_embd,
      dMlp: c.n_inner ?? 4 * c.n_embd,
      nCtx: c.n_positions ?? c.n_ctx ?? 1024,
      vocabSize: c.vocab_size,
      layerNormEps: c.layer_norm_epsilon,
      activation,
      tiedEmbeddings: c.tie_word_embeddings,
      bosTokenId: specialToken(c.bos_token_id, c.vocab_size, DEFAULT_END_OF_TEXT),
      eosTokenId: specialToken(c.eos_token_id, c.vocab_size, DEFAULT_END_OF_TEXT),
    };
  },

  toHuggingFace: (config) => ({
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    activation_function: config.activation,
    n_layer: config.nLayer,
    n_head: config.nHead,
    n_embd: config.dModel,
    n_inner: config.dMlp === 4 * config.dModel ? null : config.dMlp,
    n_positions: config.nCtx,
    n_ctx: config.nCtx,
    vocab_size: config.vocabSize,
    layer_norm_epsilon: config.layerNormEps,
    tie_word_embeddings: config.tiedEmbeddings,
    initializer_range: WEIGHT_STD,
    scale_attn_weights: true,
    bos_token_id: config.bosTokenId,
    eos_token_id: config.eosTokenId,
    dtype: 'float32',
  }),

  weights: (config) => {
    const { dModel: d, dMlp: m } = config;
    // Projections that write to the residual stream start smaller, by 1/√(2·layers).
    const residual = WEIGHT_STD / Math.sqrt(2 * config.nLayer);
    const blocks = Array.from({ length: config.nLayer }, (_, layer) => [
      ...normWeights(`h.${layer}.ln_1`, d),
      ...conv1d(`h.${layer}.attn.c_attn`, d, 3 * d, WEIGHT_STD),
      ...conv1d(`h.${layer}.attn.c_proj`, d, d, residual),
      ...normWeights(`h.${layer}.ln_2`, d),
      ...conv1d(`h.${layer}.mlp.c_fc`, d, m, WEIGHT_STD),
      ...conv1d(`h.${layer}.mlp.c_proj`, m, d, residual),
    ]);
    return [
      { name: 'wte.weight', shape: [config.vocabSize, d], init: { normal: WEIGHT_STD } },
      { name: 'wpe.weight', shape: [config.nCtx, d], init: { normal: POSITION_STD } },
      ...blocks.flat(),
      ...normWeights('ln_f', d),
      ...(config.tiedEmbeddings
        ? []
        : [{ name: 'lm_head.weight', shape: [config.vocabSize, d], init: { normal: WEIGHT_STD } }]),
    ];
  },

  fileName: (weight) => (weight === 'lm_head.weight' ? weight : BLOCK_PREFIX + weight),
  canonicalName: (inFile) => (inFile.startsWith(BLOCK_PREFIX) ? inFile.slice(BLOCK_PREFIX.length) : inFile),
};

/** Hugging Face's `Conv1D`: a linear layer with weights [in, out]. */
function conv1d(name: string, from: number, to: number, std: number): WeightSpec[] {
  return [
    { name: `${name}.weight`, shape: [from, to], init: { normal: std } },
    { name: `${name}.bias`, shape: [to], init: { constant: 0 } },
  ];
}
