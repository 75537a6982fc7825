import { z } from 'zod';
import { invariant } from '../../../shared/errors/index.ts';
import { headWidth } from '../../../shared/domain/index.ts';
import type { FolderFamily } from './family.ts';
import {
  activationOf,
  headsDivide,
  linearWeights,
  normWeights,
  parsedConfig,
  size,
  specialToken,
  tokenId,
  WEIGHT_STD,
} from './parts.ts';
import { RopeJson, ropeJson, rotaryOf } from './rope.ts';

const NeoxJson = RopeJson.extend({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  max_position_embeddings: size,
  hidden_act: z.string().default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().optional(),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().default(false),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
});

const PREFIX = 'gpt_neox.';
const HEAD = 'lm_head.weight';
/** The name of the unembedding until transformers 5. */
const OLD_HEAD = 'embed_out.weight';

export const neox: FolderFamily = {
  family: 'gpt_neox',
  modelTypes: ['gpt_neox'],
  label: 'GPT-NeoX',

  parse(json, path) {
    const c = parsedConfig(NeoxJson, json, path);
    headsDivide(c.hidden_size, c.num_attention_heads, path);
    const width = c.hidden_size / c.num_attention_heads;
    const base = c.rope_theta ?? c.rotary_emb_base;
    const rope = { ...c, ...(base === undefined ? {} : { rope_theta: base }) };
    return {
      family: 'gpt_neox',
      nLayer: c.num_hidden_layers,
      nHead: c.num_attention_heads,
      rotary: rotaryOf(rope, { width, share: c.rotary_pct, interleaved: false }, path),
      biases: { qkv: c.attention_bias, attentionOutput: c.attention_bias, mlp: true },
      parallel: c.use_parallel_residual,
      dModel: c.hidden_size,
      dMlp: c.intermediate_size,
      nCtx: c.max_position_embeddings,
      vocabSize: c.vocab_size,
      layerNormEps: c.layer_norm_eps,
      activation: activationOf('hidden_act', c.hidden_act, path),
      tiedEmbeddings: c.tie_word_embeddings,
      bosTokenId: specialToken(c.bos_token_id, c.vocab_size, 0),
      eosTokenId: specialToken(c.eos_token_id, c.vocab_size, 2),
    };
  },

  toHuggingFace(config) {
    const { rotary, biases } = config;
    invariant(rotary !== undefined && biases !== undefined, 'a GPT-NeoX configuration has rotary and biases');
    return {
      architectures: ['GPTNeoXForCausalLM'],
      model_type: 'gpt_neox',
      hidden_act: config.activation,
      num_hidden_layers: config.nLayer,
      num_attention_heads: config.nHead,
      hidden_size: config.dModel,
      intermediate_size: config.dMlp,
      max_position_embeddings: config.nCtx,
      vocab_size: config.vocabSize,
      layer_norm_eps: config.layerNormEps,
      ...ropeJson(rotary),
      rotary_pct: rotary.dims / headWidth(config),
      rotary_emb_base: rotary.base,
      use_parallel_residual: config.parallel === true,
      attention_bias: biases.qkv,
      tie_word_embeddings: config.tiedEmbeddings,
      initializer_range: WEIGHT_STD,
      bos_token_id: config.bosTokenId,
      eos_token_id: config.eosTokenId,
      dtype: 'float32',
    };
  },

  weights(config) {
    const { dModel: d, dMlp: m, vocabSize, biases } = config;
    invariant(biases !== undefined, 'a GPT-NeoX configuration has biases');
    const blocks = Array.from({ length: config.nLayer }, (_, layer) => {
      const at = `layers.${layer}`;
      return [
        ...normWeights(`${at}.input_layernorm`, d),
        ...normWeights(`${at}.post_attention_layernorm`, d),
        ...linearWeights(`${at}.attention.query_key_value`, [d, 3 * d], biases.qkv),
        ...linearWeights(`${at}.attention.dense`, [d, d], biases.attentionOutput),
        ...linearWeights(`${at}.mlp.dense_h_to_4h`, [d, m], biases.mlp),
        ...linearWeights(`${at}.mlp.dense_4h_to_h`, [m, d], biases.mlp),
      ];
    });
    return [
      { name: 'embed_in.weight', shape: [vocabSize, d], init: { normal: WEIGHT_STD } },
      ...blocks.flat(),
      ...normWeights('final_layer_norm', d),
      ...(config.tiedEmbeddings ? [] : linearWeights('lm_head', [d, vocabSize], false)),
    ];
  },

  fileName: (weight) => (weight === HEAD ? OLD_HEAD : PREFIX + weight),
  canonicalName: (inFile) => {
    if (inFile === OLD_HEAD) return HEAD;
    return inFile.startsWith(PREFIX) ? inFile.slice(PREFIX.length) : inFile;
  },
};
