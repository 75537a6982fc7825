import { z } from 'zod';
import { invariant } from '../../../shared/errors/index.ts';
import type { FolderFamily } from './family.ts';
import {
  activationOf,
  headsDivide,
  invalid,
  linearWeights,
  normWeights,
  parsedConfig,
  size,
  specialToken,
  tokenId,
  WEIGHT_STD,
} from './parts.ts';

/** Keys that decide the computation, with transformers' defaults for absent ones (`GPTJConfig`). */
const GptjJson = z.object({
  vocab_size: size.default(50400),
  n_positions: size.default(2048),
  n_embd: size.default(4096),
  n_layer: size.default(28),
  n_head: size.default(16),
  rotary_dim: size.default(64),
  n_inner: size.nullish(),
  activation_function: z.string().default('gelu_new'),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
});

/** The base of its rotation, which its configuration does not name. */
const ROTARY_BASE = 10_000;
const END_OF_TEXT = 50256;
const PREFIX = 'transformer.';

export const gptj: FolderFamily = {
  family: 'gptj',
  modelTypes: ['gptj'],
  label: 'GPT-J',

  parse(json, path) {
    const c = parsedConfig(GptjJson, json, path);
    headsDivide(c.n_embd, c.n_head, path);
    if (c.rotary_dim % 2 !== 0 || c.rotary_dim > c.n_embd / c.n_head) {
      throw invalid(path, `rotary_dim ${c.rotary_dim} of heads of width ${c.n_embd / c.n_head}`);
    }
    return {
      family: 'gptj',
      nLayer: c.n_layer,
      nHead: c.n_head,
      rotary: { base: ROTARY_BASE, dims: c.rotary_dim, interleaved: true },
      dModel: c.n_embd,
      dMlp: c.n_inner ?? 4 * c.n_embd,
      nCtx: c.n_positions,
      vocabSize: c.vocab_size,
      layerNormEps: c.layer_norm_epsilon,
      activation: activationOf('activation_function', c.activation_function, path),
      tiedEmbeddings: c.tie_word_embeddings,
      bosTokenId: specialToken(c.bos_token_id, c.vocab_size, END_OF_TEXT),
      eosTokenId: specialToken(c.eos_token_id, c.vocab_size, END_OF_TEXT),
    };
  },

  toHuggingFace(config) {
    invariant(config.rotary !== undefined, 'a GPT-J configuration has rotary');
    return {
      architectures: ['GPTJForCausalLM'],
      model_type: 'gptj',
      activation_function: config.activation,
      n_layer: config.nLayer,
      n_head: config.nHead,
      n_embd: config.dModel,
      n_inner: config.dMlp === 4 * config.dModel ? null : config.dMlp,
      n_positions: config.nCtx,
      rotary_dim: config.rotary.dims,
      vocab_size: config.vocabSize,
      layer_norm_epsilon: config.layerNormEps,
      tie_word_embeddings: config.tiedEmbeddings,
      initializer_range: WEIGHT_STD,
      bos_token_id: config.bosTokenId,
      eos_token_id: config.eosTokenId,
      dtype: 'float32',
    };
  },

  weights(config) {
    const { dModel: d, dMlp: m, vocabSize } = config;
    const blocks = Array.from({ length: config.nLayer }, (_, layer) => [
      ...normWeights(`h.${layer}.ln_1`, d),
      ...linearWeights(`h.${layer}.attn.q_proj`, [d, d], false),
      ...linearWeights(`h.${layer}.attn.k_proj`, [d, d], false),
      ...linearWeights(`h.${layer}.attn.v_proj`, [d, d], false),
      ...linearWeights(`h.${layer}.attn.out_proj`, [d, d], false),
      ...linearWeights(`h.${layer}.mlp.fc_in`, [d, m], true),
      ...linearWeights(`h.${layer}.mlp.fc_out`, [m, d], true),
    ]);
    return [
      { name: 'wte.weight', shape: [vocabSize, d], init: { normal: WEIGHT_STD } },
      ...blocks.flat(),
      ...normWeights('ln_f', d),
      ...(config.tiedEmbeddings
        ? []
        : [{ name: 'lm_head.weight', shape: [vocabSize, d], init: { normal: WEIGHT_STD } }]),
      { name: 'lm_head.bias', shape: [vocabSize], init: { constant: 0 } },
    ];
  },

  fileName: (weight) => (weight.startsWith('lm_head.') ? weight : PREFIX + weight),
  canonicalName: (inFile) => (inFile.startsWith(PREFIX) ? inFile.slice(PREFIX.length) : inFile),
};
