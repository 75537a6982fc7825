import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainingFlopsPerToken } from '../../../src/main/engine/nn/trainingCost.ts';
import { checkModelFolder, parameterCount, parseModelConfig } from '../../../src/main/models/index.ts';
import { isParallel } from '../../../src/shared/domain/index.ts';
import { repository, temporaryFolder } from './helpers.ts';

const error = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }) as Error;
type Json = Record<string, unknown> & { model_type?: string };
const parse = (json: Json): ReturnType<typeof parseModelConfig> => parseModelConfig(json, 'config.json');

/** As published with Llama 3.2 1B. */
const LLAMA: Json = {
  model_type: 'llama',
  vocab_size: 128256,
  hidden_size: 2048,
  intermediate_size: 8192,
  num_hidden_layers: 16,
  num_attention_heads: 32,
  num_key_value_heads: 8,
  head_dim: 64,
  hidden_act: 'silu',
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  rope_scaling: {
    factor: 32,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  tie_word_embeddings: true,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008],
};

/** As published with Pythia 70M. */
const PYTHIA: Json = {
  model_type: 'gpt_neox',
  vocab_size: 50304,
  hidden_size: 512,
  intermediate_size: 2048,
  num_hidden_layers: 6,
  num_attention_heads: 8,
  max_position_embeddings: 2048,
  rotary_pct: 0.25,
  rotary_emb_base: 10000,
  use_parallel_residual: true,
  bos_token_id: 0,
  eos_token_id: 0,
};

describe('Llama and its relatives', () => {
  it('are read with grouped heads and scaled rotation', () => {
    expect(parse(LLAMA)).toMatchObject({
      family: 'llama',
      nHead: 32,
      nKvHead: 8,
      headDim: 64,
      rotary: {
        base: 500000,
        dims: 64,
        interleaved: false,
        scaling: { type: 'llama3', factor: 32, originalContext: 8192 },
      },
      biases: { qkv: false, attentionOutput: false, mlp: false },
      tiedEmbeddings: true,
      bosTokenId: 128000,
      eosTokenId: 128001,
    });
    // transformers: sum(p.numel() for p in LlamaForCausalLM(config).parameters())
    expect(parameterCount(parse(LLAMA))).toBe(1_235_814_400);
  });

  it('default to one key/value head for each head, and to the width shared by the heads', () => {
    const { num_key_value_heads: _heads, head_dim: _width, rope_scaling: _scaling, ...plain } = LLAMA;
    expect(parse(plain)).toMatchObject({ nKvHead: 32, headDim: 64, rotary: { base: 500000, dims: 64 } });
    expect(parse(plain).rotary?.scaling).toBeUndefined();
  });

  it('have Qwen2’s biases, and Mistral’s full attention where its window is no smaller than its context', () => {
    expect(parse({ ...LLAMA, model_type: 'qwen2' }).biases).toEqual({
      qkv: true,
      attentionOutput: false,
      mlp: false,
    });
    const mistral = { ...LLAMA, model_type: 'mistral', max_position_embeddings: 4096 };
    expect(parse({ ...mistral, sliding_window: null }).nCtx).toBe(4096);
    expect(parse({ ...mistral, sliding_window: 4096 }).nCtx).toBe(4096);
    expect(parse({ ...LLAMA, model_type: 'qwen2', sliding_window: 8 }).nCtx).toBe(131072);
  });

  it.each<[Json, string, RegExp]>([
    [{ ...LLAMA, num_key_value_heads: 5 }, 'MODEL_CONFIG_INVALID', /32 heads cannot share 5/],
    [{ ...LLAMA, head_dim: null, hidden_size: 100 }, 'MODEL_CONFIG_INVALID', /100 is not divisible by 32/],
    [{ ...LLAMA, hidden_size: undefined }, 'MODEL_CONFIG_INVALID', /"hidden_size"/],
    [{ ...LLAMA, hidden_act: 'mish' }, 'MODEL_OPTION_UNSUPPORTED', /hidden_act "mish"/],
    [
      { ...LLAMA, rope_scaling: { rope_type: 'yarn', factor: 4 } },
      'MODEL_OPTION_UNSUPPORTED',
      /scaling of positions "yarn"/,
    ],
    [{ ...LLAMA, rope_scaling: { type: 'linear' } }, 'MODEL_CONFIG_INVALID', /no "factor"/],
    [
      { ...LLAMA, model_type: 'mistral', sliding_window: 4096 },
      'MODEL_OPTION_UNSUPPORTED',
      /sliding_window 4096 below the context of 131072/,
    ],
    [{ ...LLAMA, model_type: 'mistral' }, 'MODEL_OPTION_UNSUPPORTED', /sliding_window 4096/],
    [
      { ...LLAMA, model_type: 'qwen2', use_sliding_window: true, sliding_window: 64 },
      'MODEL_OPTION_UNSUPPORTED',
      /sliding_window 64/,
    ],
  ])('refuse %#', (json, code, message) => {
    expect(() => parse(json)).toThrow(error(code, message));
  });
});

it('training costs six operations a parameter and token, whatever the family', () => {
  for (const json of [LLAMA, PYTHIA, { ...LLAMA, num_key_value_heads: 32 }]) {
    const config = parse(json);
    // The embedding is looked up; an untied one is no part of the products.
    const looked = config.tiedEmbeddings ? 0 : config.vocabSize * config.dModel;
    const products = parameterCount(config) - looked;
    expect(trainingFlopsPerToken(config, 0) / (6 * products)).toBeCloseTo(1, 2);
  }
});

describe('GPT-NeoX', () => {
  it('is read as Pythia was published, and as transformers 5 writes it', () => {
    const config = parse(PYTHIA);
    expect(config).toMatchObject({
      family: 'gpt_neox',
      parallel: true,
      rotary: { base: 10000, dims: 16, interleaved: false },
      biases: { qkv: true, attentionOutput: true, mlp: true },
      tiedEmbeddings: false,
      bosTokenId: 0,
    });
    expect(parameterCount(config)).toBe(70_426_624);
    const { rotary_pct: _share, rotary_emb_base: _base, ...rest } = PYTHIA;
    const rope_parameters = { rope_type: 'default', rope_theta: 10000, partial_rotary_factor: 0.25 };
    expect(parse({ ...rest, rope_parameters })).toEqual(config);
  });

  it.each<[Json, string, RegExp]>([
    [{ ...PYTHIA, num_attention_heads: 7 }, 'MODEL_CONFIG_INVALID', /512 is not divisible by 7/],
    [{ ...PYTHIA, rotary_pct: 0.02 }, 'MODEL_CONFIG_INVALID', /1 dimensions of a head/],
    [{ ...PYTHIA, rotary_pct: 2 }, 'MODEL_CONFIG_INVALID', /"rotary_pct"/],
  ])('refuses %#', (json, code, message) => {
    expect(() => parse(json)).toThrow(error(code, message));
  });
});

describe('GPT-J', () => {
  it('is read with transformers’ defaults', () => {
    const config = parse({ model_type: 'gptj' });
    expect(config).toMatchObject({
      family: 'gptj',
      nLayer: 28,
      rotary: { base: 10000, dims: 64, interleaved: true },
      dMlp: 16384,
    });
    expect(isParallel(config)).toBe(true);
    // transformers: sum(p.numel() for p in GPTJForCausalLM(GPTJConfig()).parameters())
    expect(parameterCount(config)).toBe(6_050_882_784);
  });

  it('refuses a rotation that is wider than a head', () => {
    const json = { model_type: 'gptj', n_embd: 64, n_head: 4, rotary_dim: 32 };
    expect(() => parse(json)).toThrow(error('MODEL_CONFIG_INVALID', /rotary_dim 32 of heads of width 16/));
  });
});

describe('the checklist of a folder', () => {
  it('says what a Llama-style model is', async () => {
    const checks = await checkModelFolder(repository('tests/reference/tiny-llama'));
    expect(checks).toMatchObject([
      {
        ok: true,
        detail: 'Llama: 3 layers, 4 heads over 2 key/value heads, width 32, context 64, vocabulary 211',
      },
      { ok: true, detail: 'model.safetensors, 0.2 MB, F32' },
      {
        ok: true,
        detail: expect.stringMatching(/^30 weights, 45,984 parameters, 0\.2 MB in memory$/) as string,
      },
      { ok: true, detail: 'none: prompts can only be given as token ids' },
    ]);
  });

  it('says what to do about a tokenizer in SentencePiece’s own form', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'tokenizer.model'), 'binary');
    const tokenizer = (await checkModelFolder(folder)).find(({ item }) => item === 'Tokenizer');
    expect(tokenizer?.detail).toMatch(/^none: of tokenizer\.model Engram needs the form tokenizer\.json/);
  });

  it('names every family that can be opened', () => {
    expect(() => parse({ model_type: 'mamba' })).toThrow(
      expect.objectContaining({
        next: 'Supported: GPT-2 (gpt2); Llama (llama, mistral, qwen2); GPT-NeoX (gpt_neox); GPT-J (gptj).',
      }) as Error,
    );
  });
});
