import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createModel, freshWeights, openModelFolder, openTokenizer } from '../../../src/main/models/index.ts';
import { repository, temporaryFolder } from './helpers.ts';

const TOKENIZER = repository('resources/sample/tokenizer');
const SIZES = { nLayer: 2, nHead: 4, dModel: 64, nCtx: 32, seed: 7 };
const std = (data: Float32Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
const error = (code: string): Error => expect.objectContaining({ code }) as Error;

describe('createModel', () => {
  it('writes a folder with the tokenizer, which opens', async () => {
    const folder = join(temporaryFolder(), 'model');
    const config = await createModel(SIZES, folder, TOKENIZER);
    const [model, tokenizer] = [await openModelFolder(folder), (await openTokenizer(folder))!];
    expect(model.config).toEqual(config);
    expect(config).toMatchObject({
      vocabSize: tokenizer.vocabSize,
      eosTokenId: tokenizer.eosTokenId,
      dMlp: 256,
    });
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(['vocab.json', 'merges.txt', 'tokenizer_config.json']),
    );
  });

  it('gives the same weights for the same seed', async () => {
    const hashes = [];
    for (const seed of [7, 7, 8]) {
      const folder = temporaryFolder();
      await createModel({ ...SIZES, seed }, folder, TOKENIZER);
      hashes.push(await (await openModelFolder(folder)).weightsHash());
    }
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('draws as GPT-2 does: gains 1, biases 0, residual projections smaller by √(2·layers)', async () => {
    const folder = temporaryFolder();
    const config = await createModel(SIZES, folder, TOKENIZER);
    const weights = new Map(freshWeights(config, 1).map(({ name, data }) => [name, data]));
    // A standard deviation over n values is itself uncertain by 1/√(2n): below 3 % for the smallest, 4σ allowed.
    const expected = {
      'wte.weight': 0.02,
      'wpe.weight': 0.01,
      'h.1.mlp.c_fc.weight': 0.02,
      'h.1.mlp.c_proj.weight': 0.01,
    };
    for (const [name, value] of Object.entries(expected)) {
      const data = weights.get(name)!;
      expect(Math.abs(std(data) / value - 1)).toBeLessThan(4 / Math.sqrt(2 * data.length));
    }
    expect(new Set(weights.get('ln_f.weight'))).toEqual(new Set([1]));
    expect(new Set(weights.get('h.0.attn.c_attn.bias'))).toEqual(new Set([0]));
  });

  it('refuses what cannot be built', async () => {
    const folder = temporaryFolder();
    await expect(createModel({ ...SIZES, dModel: 66 }, folder, TOKENIZER)).rejects.toThrow(
      error('MODEL_WIDTH_NOT_DIVISIBLE'),
    );
    await expect(createModel(SIZES, folder, temporaryFolder())).rejects.toThrow(error('TOKENIZER_MISSING'));
    expect(readdirSync(folder)).toEqual([]);
  });
});
