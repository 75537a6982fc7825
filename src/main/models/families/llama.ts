import { z } from 'zod';
import {
  headWidth,
  kvHeads,
  type LinearBiases,
  type ModelConfig,
  type Rotary,
} from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import type { FolderFamily, WeightSpec } from './family.ts';
import {
  activationOf,
  headsDivide,
  invalid,
  linearWeights,
  parsedConfig,
  size,
  specialToken,
  tokenId,
  unsupported,
  WEIGHT_STD,
} from './parts.ts';
import { RopeJson, ropeJson, rotaryOf } from './rope.ts';

const LlamaJson = RopeJson.extend({
  model_type: z.string(),
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default('silu'),
  max_position_embeddings: size,
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().optional(),
  bos_token_id: tokenId,
  eos_token_id: tokenId,
});
type LlamaJson = z.output<typeof LlamaJson>;

/** In what the model types differ; the numbers are transformers' defaults for absent keys. */
interface Variant {
  readonly biases: (c: LlamaJson) => LinearBiases;
  readonly kvHeads: (c: LlamaJson) => number;
  /** Tokens that attention reaches back; null = all. */
  readonly window: (c: LlamaJson) => number | null;
  readonly bos: number | null;
  readonly eos: number | null;
}

const NO_BIASES: LinearBiases = { qkv: false, attentionOutput: false, mlp: false };
const QWEN2_BIASES: LinearBiases = { qkv: true, attentionOutput: false, mlp: false };

const VARIANTS: Readonly<Record<string, Variant>> = {
  llama: {
    biases: (c) => ({ qkv: c.attention_bias, attentionOutput: c.attention_bias, mlp: c.mlp_bias }),
    kvHeads: (c) => c.num_attention_heads,
    window: () => null,
    bos: 1,
    eos: 2,
  },
  mistral: {
    biases: () => NO_BIASES,
    kvHeads: () => 8,
    window: (c) => (c.sliding_window === undefined ? 4096 : c.sliding_window),
    bos: 1,
    eos: 2,
  },
  qwen2: {
    biases: () => QWEN2_BIASES,
    kvHeads: () => 32,
    window: (c) => (c.use_sliding_window === true ? (c.sliding_window ?? 4096) : null),
    bos: null,
    eos: null,
  },
};

const PREFIX = 'model.';

/** Llama and what shares its layers: Mistral without a sliding window, Qwen2. */
export const llama: FolderFamily = {
  family: 'llama',
  modelTypes: Object.keys(VARIANTS),
  label: 'Llama',

  parse(json, path) {
    const c = parsedConfig(LlamaJson, json, path);
    const variant = VARIANTS[c.model_type];
    invariant(variant !== undefined, `the Llama family reads ${c.model_type}`);
    if (c.head_dim === undefined || c.head_dim === null)
      headsDivide(c.hidden_size, c.num_attention_heads, path);
    const heads = c.num_key_value_heads ?? variant.kvHeads(c);
    if (c.num_attention_heads % heads !== 0) {
      throw invalid(path, `${c.num_attention_heads} heads cannot share ${heads} key/value heads equally`);
    }
    const window = variant.window(c);
    if (window !== null && window < c.max_position_embeddings) {
      throw unsupported(
        path,
        `sliding_window ${window} below the context of ${c.max_position_embeddings} tokens`,
        `sliding_window null, or max_position_embeddings of at most ${window} (the model is then the same, with that context)`,
      );
    }
    const width = c.head_dim ?? c.hidden_size / c.num_attention_heads;
    return {
      family: 'llama',
      nLayer: c.num_hidden_layers,
      nHead: c.num_attention_heads,
      nKvHead: heads,
      headDim: width,
      rotary: rotaryOf(c, { width, share: 1, interleaved: false }, path),
      biases: variant.biases(c),
      dModel: c.hidden_size,
      dMlp: c.intermediate_size,
      nCtx: c.max_position_embeddings,
      vocabSize: c.vocab_size,
      layerNormEps: c.rms_norm_eps,
      activation: activationOf('hidden_act', c.hidden_act, path),
      tiedEmbeddings: c.tie_word_embeddings,
      bosTokenId: specialToken(c.bos_token_id, c.vocab_size, variant.bos),
      eosTokenId: specialToken(c.eos_token_id, c.vocab_size, variant.eos),
    };
  },

  toHuggingFace(config) {
    const { rotary, biases } = parts(config);
    const qwen2 = biases.qkv && !biases.attentionOutput;
    return {
      architectures: [qwen2 ? 'Qwen2ForCausalLM' : 'LlamaForCausalLM'],
      model_type: qwen2 ? 'qwen2' : 'llama',
      hidden_act: config.activation,
      num_hidden_layers: config.nLayer,
      num_attention_heads: config.nHead,
      num_key_value_heads: kvHeads(config),
      head_dim: headWidth(config),
      hidden_size: config.dModel,
      intermediate_size: config.dMlp,
      max_position_embeddings: config.nCtx,
      vocab_size: config.vocabSize,
      rms_norm_eps: config.layerNormEps,
      ...ropeJson(rotary),
      ...(qwen2 ? { use_sliding_window: false } : { attention_bias: biases.qkv, mlp_bias: biases.mlp }),
      tie_word_embeddings: config.tiedEmbeddings,
      initializer_range: WEIGHT_STD,
      bos_token_id: config.bosTokenId,
      eos_token_id: config.eosTokenId,
      dtype: 'float32',
    };
  },

  weights(config) {
    const { dModel: d, dMlp: m, vocabSize } = config;
    const { biases } = parts(config);
    const [all, kv] = [config.nHead * headWidth(config), kvHeads(config) * headWidth(config)];
    const blocks = Array.from({ length: config.nLayer }, (_, layer) => {
      const at = `layers.${layer}`;
      return [
        ...linearWeights(`${at}.self_attn.q_proj`, [d, all], biases.qkv),
        ...linearWeights(`${at}.self_attn.k_proj`, [d, kv], biases.qkv),
        ...linearWeights(`${at}.self_attn.v_proj`, [d, kv], biases.qkv),
        ...linearWeights(`${at}.self_attn.o_proj`, [all, d], biases.attentionOutput),
        ...linearWeights(`${at}.mlp.gate_proj`, [d, m], biases.mlp),
        ...linearWeights(`${at}.mlp.up_proj`, [d, m], biases.mlp),
        ...linearWeights(`${at}.mlp.down_proj`, [m, d], biases.mlp),
        gain(`${at}.input_layernorm`, d),
        gain(`${at}.post_attention_layernorm`, d),
      ];
    });
    return [
      { name: 'embed_tokens.weight', shape: [vocabSize, d], init: { normal: WEIGHT_STD } },
      ...blocks.flat(),
      gain('norm', d),
      ...(config.tiedEmbeddings ? [] : linearWeights('lm_head', [d, vocabSize], false)),
    ];
  },

  fileName: (weight) => (weight === 'lm_head.weight' ? weight : PREFIX + weight),
  canonicalName: (inFile) => (inFile.startsWith(PREFIX) ? inFile.slice(PREFIX.length) : inFile),
};

function parts({ rotary, biases }: ModelConfig): { readonly rotary: Rotary; readonly biases: LinearBiases } {
  invariant(rotary !== undefined && biases !== undefined, 'a Llama configuration has rotary and biases');
  return { rotary, biases };
}

const gain = (name: string, width: number): WeightSpec => ({
  name: `${name}.weight`,
  shape: [width],
  init: { constant: 1 },
});
