import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  checkModelFolder,
  copyModelFolder,
  openModelFolder,
  parameterCount,
  parseModelConfig,
  readTensor,
  saveModelFolder,
  toHuggingFaceConfig,
  writeSafetensors,
} from '../../../src/main/models/index.ts';
import { CONFIG, countingWeights, temporaryFolder, TINY } from './helpers.ts';

const error = (code: string, message: RegExp): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown }) as Error;

/** A folder with config.json and these weights, under the names given. */
async function folderWith(
  tensors: Parameters<typeof writeSafetensors>[1],
  config: object = {},
): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...toHuggingFaceConfig(CONFIG), ...config }));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

describe('configuration', () => {
  it('survives the way to config.json and back', () => {
    for (const config of [
      CONFIG,
      {
        ...CONFIG,
        dMlp: 9,
        tiedEmbeddings: false,
        activation: 'relu' as const,
        bosTokenId: null,
        eosTokenId: null,
      },
    ]) {
      expect(parseModelConfig(toHuggingFaceConfig(config), 'config.json')).toEqual(config);
    }
  });

  it('takes transformers’ defaults for what is absent', () => {
    expect(parseModelConfig({ model_type: 'gpt2' }, 'config.json')).toEqual({
      family: 'gpt2',
      nLayer: 12,
      nHead: 12,
      dModel: 768,
      dMlp: 3072,
      nCtx: 1024,
      vocabSize: 50257,
      layerNormEps: 1e-5,
      activation: 'gelu_new',
      tiedEmbeddings: true,
      bosTokenId: 50256,
      eosTokenId: 50256,
    });
  });

  it('has no special token outside the vocabulary', () => {
    const config = parseModelConfig({ model_type: 'gpt2', vocab_size: 100, bos_token_id: [7, 8] }, 'c');
    expect([config.bosTokenId, config.eosTokenId]).toEqual([7, null]);
  });

  it.each([
    [{ model_type: 'mamba' }, 'MODEL_FAMILY_UNKNOWN', /"mamba"/],
    [{}, 'MODEL_FAMILY_UNKNOWN', /names no model_type/],
    [{ model_type: 'gpt2', n_embd: 10, n_head: 3 }, 'MODEL_CONFIG_INVALID', /10 is not divisible by 3/],
    [{ model_type: 'gpt2', n_layer: 0 }, 'MODEL_CONFIG_INVALID', /"n_layer"/],
    [{ model_type: 'gpt2', activation_function: 'mish' }, 'MODEL_OPTION_UNSUPPORTED', /"mish"/],
    [{ model_type: 'gpt2', scale_attn_by_inverse_layer_idx: true }, 'MODEL_OPTION_UNSUPPORTED', /inverse/],
    [{ model_type: 'gpt2', scale_attn_weights: false }, 'MODEL_OPTION_UNSUPPORTED', /scale_attn_weights/],
    [{ model_type: 'gpt2', add_cross_attention: true }, 'MODEL_OPTION_UNSUPPORTED', /cross/],
  ])('refuses %j', (json, code, message) => {
    expect(() => parseModelConfig(json, 'config.json')).toThrow(error(code, message));
  });

  it('counts parameters, tied embeddings once', () => {
    // transformers: sum(p.numel() for p in GPT2LMHeadModel(GPT2Config()).parameters())
    expect(parameterCount(parseModelConfig({ model_type: 'gpt2' }, 'c'))).toBe(124_439_808);
  });
});

describe('openModelFolder', () => {
  it('opens a folder of transformers under canonical names', async () => {
    const model = await openModelFolder(TINY);
    expect(model.config).toMatchObject({
      nLayer: 3,
      nHead: 4,
      dModel: 32,
      dMlp: 128,
      nCtx: 64,
      vocabSize: 211,
    });
    expect(model.tensors.size).toBe(40);
    expect(model.tensors.get('h.2.mlp.c_fc.weight')?.shape).toEqual([32, 128]);
    const bytes = readFileSync(join(TINY, 'model.safetensors'));
    expect(await model.weightsHash()).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('takes weights without the prefix and ignores buffers and a tied head', async () => {
    const weights = countingWeights(CONFIG);
    const mask = { name: 'h.0.attn.bias', shape: [1, 1, 2, 2], data: new Float32Array(4) };
    const head = { name: 'lm_head.weight', shape: [11, 4], data: new Float32Array(44) };
    const model = await openModelFolder(await folderWith([...weights, mask, head]));
    expect([...model.tensors.keys()]).toEqual(weights.map(({ name }) => name));
  });

  it('asks for the head where it is not tied', async () => {
    const folder = await folderWith(countingWeights(CONFIG), { tie_word_embeddings: false });
    await expect(openModelFolder(folder)).rejects.toThrow(error('MODEL_WEIGHT_MISSING', /lm_head\.weight/));
    const untied = countingWeights({ ...CONFIG, tiedEmbeddings: false });
    const model = await openModelFolder(await folderWith(untied, { tie_word_embeddings: false }));
    expect(model.tensors.get('lm_head.weight')?.shape).toEqual([11, 4]);
  });

  it('names the first missing weight and how many more', async () => {
    const folder = await folderWith(countingWeights(CONFIG).filter(({ name }) => !name.includes('.mlp.')));
    await expect(openModelFolder(folder)).rejects.toThrow(
      error('MODEL_WEIGHT_MISSING', /no weight transformer\.h\.0\.mlp\.c_fc\.weight and 3 more/),
    );
  });

  it('names a weight of the wrong shape, and both shapes', async () => {
    const folder = await folderWith(countingWeights(CONFIG), { n_positions: 16 });
    await expect(openModelFolder(folder)).rejects.toThrow(
      error('MODEL_WEIGHT_SHAPE', /wpe\.weight has the shape \[8, 4\]; config\.json asks for \[16, 4\]/),
    );
  });

  it('refuses a weight under two names', async () => {
    const weights = countingWeights(CONFIG);
    const twice = { ...weights[0]!, name: 'transformer.wte.weight' };
    await expect(openModelFolder(await folderWith([...weights, twice]))).rejects.toThrow(
      error('MODEL_WEIGHT_TWICE', /wte\.weight twice/),
    );
  });

  it('says what is missing of a folder', async () => {
    const folder = temporaryFolder();
    await expect(openModelFolder(folder)).rejects.toThrow(error('MODEL_CONFIG_MISSING', /no config\.json/));
    writeFileSync(join(folder, 'config.json'), '{"model_type": "gpt2"');
    await expect(openModelFolder(folder)).rejects.toThrow(error('MODEL_CONFIG_INVALID', /not valid JSON/));
    cpSync(join(TINY, 'config.json'), join(folder, 'config.json'));
    await expect(openModelFolder(folder)).rejects.toThrow(error('MODEL_WEIGHTS_MISSING', /no model/));
    cpSync(join(TINY, 'model.safetensors'), join(folder, 'model.safetensors'));
    truncateSync(join(folder, 'model.safetensors'), 100_000);
    await expect(openModelFolder(folder)).rejects.toThrow(
      error('MODEL_WEIGHTS_TRUNCATED', /tensor "transformer\./),
    );
  });
});

describe('checkModelFolder', () => {
  it('lists what is right', async () => {
    expect(await checkModelFolder(TINY)).toEqual([
      {
        item: 'Configuration',
        ok: true,
        detail: 'GPT-2: 3 layers, 4 heads, width 32, context 64, vocabulary 211',
      },
      { item: 'Weight files', ok: true, detail: 'model.safetensors, 0.2 MB, F32' },
      {
        item: 'Every weight, in the right shape',
        ok: true,
        detail: '40 weights, 46,976 parameters, 0.2 MB in memory',
      },
      { item: 'Tokenizer', ok: true, detail: 'none: prompts can only be given as token ids' },
    ]);
  });

  it('lists what is wrong without throwing', async () => {
    const checks = await checkModelFolder(join(temporaryFolder(), 'absent'));
    expect(checks.map(({ item, ok }) => [item, ok])).toEqual([
      ['Configuration', false],
      ['Weight files', false],
      ['Tokenizer', true],
    ]);
    const misfit = await checkModelFolder(await folderWith(countingWeights(CONFIG), { n_layer: 2 }));
    expect(misfit.filter(({ ok }) => !ok).map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/no weight transformer\.h\.1\.ln_1\.weight and 11 more/),
    ]);
  });
});

describe('saving and copying', () => {
  it('writes a folder that opens with the same values', async () => {
    const folder = join(temporaryFolder(), 'new', 'model');
    const weights = countingWeights(CONFIG);
    await saveModelFolder(folder, CONFIG, [...weights].reverse(), null);
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
    ]);
    const model = await openModelFolder(folder);
    expect(model.config).toEqual(CONFIG);
    expect(model.tensors.get('wte.weight')?.name).toBe('transformer.wte.weight');
    for (const { name, data } of weights) expect(await readTensor(model.tensors.get(name)!)).toEqual(data);
  });

  it('takes the tokenizer files of another folder along', async () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(from, 'tokenizer.json'), '{}');
    writeFileSync(join(from, 'pytorch_model.bin'), 'x');
    await saveModelFolder(to, CONFIG, countingWeights(CONFIG), from);
    expect(readdirSync(to).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
  });

  it('refuses to save an incomplete model', async () => {
    const folder = join(temporaryFolder(), 'model');
    await expect(saveModelFolder(folder, CONFIG, countingWeights(CONFIG).slice(1), null)).rejects.toThrow(
      /the weight wte\.weight is not among/,
    );
    expect(() => readdirSync(folder)).toThrow();
  });

  it('copies what the workbench needs, through links, and nothing else', async () => {
    const root = temporaryFolder();
    const [blobs, from, to] = [join(root, 'blobs'), join(root, 'from'), join(root, 'to')];
    mkdirSync(from);
    cpSync(TINY, blobs, { recursive: true });
    symlinkSync(join(blobs, 'model.safetensors'), join(from, 'model.safetensors'));
    symlinkSync(join(blobs, 'config.json'), join(from, 'config.json'));
    writeFileSync(join(from, 'vocab.json'), '{}');
    writeFileSync(join(from, 'README.md'), 'not needed');
    await copyModelFolder(from, to);
    expect(readdirSync(to).sort()).toEqual(['config.json', 'model.safetensors', 'vocab.json']);
    const [copy, original] = [await openModelFolder(to), await openModelFolder(TINY)];
    expect(await copy.weightsHash()).toBe(await original.weightsHash());
    await expect(copyModelFolder(from, to)).rejects.toThrow(
      error('MODEL_FOLDER_NOT_EMPTY', /to is not empty/),
    );
  });
});
