import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TRAINING_PRESETS, type ModelConfig, type TrainingConfig } from '../../../shared/domain/index.ts';
import { Mt19937 } from '../../engine/random/index.ts';
import { LETTERS } from '../../engine/tasks/index.ts';
import { trainBpe, writeTokenizerFiles, type BpeVocabulary } from '../../models/bpe-train.ts';
import { copyModelFolder, saveModelFolder } from '../../models/folder-save.ts';
import { freshWeights } from '../../models/create.ts';
import { openTokenizer, type TextTokenizer, type TokenBlock } from '../../models/index.ts';
import { plantPreviousToken } from './plant.ts';
import type { ComputeApi, TrainDone, TrainEvent } from '../../runtime/api.ts';

/** Letters of the made-up language, tokens of a sequence, its different ones, and how often it jumps. */
export const LANGUAGE = { letters: 16, length: 20, shortest: 5, longest: 6, jump: 0.25 } as const;

const SIZES = { nLayer: 2, nHead: 4, dModel: 48, nCtx: LANGUAGE.length } as const;
const SEQUENCES = { train: 9600, validation: 256 } as const;

export const COPY_TRAINING: TrainingConfig = {
  ...TRAINING_PRESETS.quick,
  preset: 'own',
  epochs: 9,
  patience: 0,
  learningRate: 6e-3,
  beta2: 0.99,
  batchSize: 64,
  evalBatchSize: 64,
  warmupSteps: 50,
  sequenceLength: LANGUAGE.length,
  endOfText: false,
  seed: 42,
};

/**
 * A sequence of the language: different letters in a row that begins again; now and then it jumps to any of them and
 * goes on from there. What follows a letter is what followed it before, and nothing else foretells it: neither how
 * far back it stood nor which letters there are.
 */
function sequence(letters: readonly number[], random: Mt19937): number[] {
  const { length, shortest, longest, jump } = LANGUAGE;
  const rest = [...letters];
  const row = Array.from({ length: shortest + random.interval(longest - shortest) }, () =>
    rest.splice(random.interval(rest.length - 1), 1),
  ).flat();
  const ids: number[] = [];
  let at = 0;
  while (ids.length < length) {
    ids.push(row[at] ?? 0);
    const jumps = random.interval(99) < 100 * jump;
    at = jumps ? random.interval(row.length - 1) : (at + 1) % row.length;
  }
  return ids;
}

/** `count` sequences of the language under a tokenizer that knows " a", " b" … as one token each; seeded. */
export function copySequences(tokenizer: TextTokenizer, count: number, seed: number): number[][] {
  const letters = LETTERS.slice(0, LANGUAGE.letters).flatMap((letter) => tokenizer.encode(` ${letter}`));
  const random = new Mt19937(seed);
  return Array.from({ length: count }, () => sequence(letters, random));
}

function block(sequences: readonly (readonly number[])[]): TokenBlock {
  const { length } = LANGUAGE;
  return {
    ids: Int32Array.from(sequences.flat()),
    lengths: new Int32Array(sequences.length).fill(length),
    count: sequences.length,
    length,
  };
}

/** All bytes, and each letter with the space before it as one token. */
function letterVocabulary(): BpeVocabulary {
  const bytes = 256;
  return trainBpe(
    LETTERS.map((letter) => ` ${letter} ${letter}`),
    bytes + LETTERS.length + 1,
  );
}

/** Writes the untrained model: a byte-level tokenizer with the letters, weights drawn by `seed`, head 0.0 planted. */
async function createCopyModel(folder: string, seed: number): Promise<void> {
  const vocabulary = letterVocabulary();
  await mkdir(folder, { recursive: true });
  await writeTokenizerFiles(folder, vocabulary, LANGUAGE.length);
  const config: ModelConfig = {
    family: 'gpt2',
    ...SIZES,
    dMlp: 4 * SIZES.dModel,
    vocabSize: Object.keys(vocabulary.vocab).length,
    layerNormEps: 1e-5,
    activation: 'gelu_new',
    tiedEmbeddings: true,
    bosTokenId: null,
    eosTokenId: null,
  };
  await saveModelFolder(folder, config, plantPreviousToken(config, freshWeights(config, seed)), null);
}

/**
 * Creates and trains the model in `folder` (`base`, `work`, and the trained Hugging Face folder `model`), with the
 * workbench's own trainer. About a thousand steps of 64 sequences.
 */
export async function trainCopyModel(
  compute: ComputeApi,
  folder: string,
  onEvent: (event: TrainEvent) => void,
  config: TrainingConfig = COPY_TRAINING,
): Promise<{ folder: string; done: TrainDone }> {
  const [base, trained] = [join(folder, 'base'), join(folder, 'model')];
  await createCopyModel(base, config.seed);
  const tokenizer = await openTokenizer(base);
  if (tokenizer === null) throw new TypeError('the tokenizer that was just written cannot be opened');
  const done = await compute.train(
    {
      folder: base,
      workFolder: join(folder, 'work'),
      train: block(copySequences(tokenizer, SEQUENCES.train, config.seed)),
      validation: block(copySequences(tokenizer, SEQUENCES.validation, config.seed + 1)),
      config,
      eosTokenId: null,
      resume: false,
      samplePrompt: null,
      sampleTokens: 0,
    },
    { onEvent },
  );
  await compute.release({ folder: done.bestFolder });
  await copyModelFolder(done.bestFolder, trained);
  await writeTokenizerFiles(trained, letterVocabulary(), LANGUAGE.length);
  return { folder: trained, done };
}
