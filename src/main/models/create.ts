import type { CreateModelOptions, ModelConfig } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import { Mt19937 } from '../engine/random/index.ts';
import { folderFamily } from './families/index.ts';
import { saveModelFolder } from './folder-save.ts';
import type { NamedTensor } from './safetensors-writer.ts';
import { openTokenizer } from './tokenizer.ts';

/** The sizes of a new model; its vocabulary comes from the tokenizer. */
export type ModelSizes = Pick<CreateModelOptions, 'nLayer' | 'nHead' | 'dModel' | 'nCtx' | 'seed'>;

/**
 * Creates a GPT-2 with fresh weights as a Hugging Face folder, with the tokenizer files of
 * `tokenizerFolder`. Weights are drawn as GPT-2's were (Radford et al. 2019): N(0, 0.02), positions
 * N(0, 0.01), projections to the residual stream smaller by 1/√(2·layers), biases 0, gains 1. The same seed
 * gives the same weights. Throws UserInputError `MODEL_WIDTH_NOT_DIVISIBLE`, `TOKENIZER_MISSING`.
 */
export async function createModel(
  sizes: ModelSizes,
  folder: string,
  tokenizerFolder: string,
): Promise<ModelConfig> {
  const { nLayer, nHead, dModel, nCtx, seed } = sizes;
  if (dModel % nHead !== 0) {
    throw new UserInputError(
      'MODEL_WIDTH_NOT_DIVISIBLE',
      `A width of ${dModel} cannot be shared by ${nHead} heads.`,
      'Choose a width that is a multiple of the number of heads.',
    );
  }
  const tokenizer = await openTokenizer(tokenizerFolder);
  if (tokenizer === null) {
    throw new UserInputError(
      'TOKENIZER_MISSING',
      `${tokenizerFolder} has no tokenizer.json and no vocab.json with merges.txt.`,
      'Choose a folder with a tokenizer.',
    );
  }
  const config: ModelConfig = {
    family: 'gpt2',
    nLayer,
    nHead,
    dModel,
    dMlp: 4 * dModel,
    nCtx,
    vocabSize: tokenizer.vocabSize,
    layerNormEps: 1e-5,
    activation: 'gelu_new',
    tiedEmbeddings: true,
    bosTokenId: tokenizer.bosTokenId,
    eosTokenId: tokenizer.eosTokenId,
  };
  await saveModelFolder(folder, config, freshWeights(config, seed), tokenizerFolder);
  return config;
}

/** Every weight of a new model, under canonical names; normal values in the order of the family's list. */
export function freshWeights(config: ModelConfig, seed: number): NamedTensor[] {
  const random = new Mt19937(seed);
  return folderFamily(config)
    .weights(config)
    .map(({ name, shape, init }) => {
      const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
      if ('constant' in init) data.fill(init.constant);
      else for (let i = 0; i < data.length; i++) data[i] = init.normal * random.normal();
      return { name, shape, data };
    });
}
