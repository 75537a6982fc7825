import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { ModelConfig } from '../../shared/domain/index.ts';
import { invariant, UserInputError } from '../../shared/errors/index.ts';
import { CONFIG_FILE, toHuggingFaceConfig } from './config.ts';
import { folderFamily } from './families/index.ts';
import { fileError } from './files.ts';
import { readWeightFiles, SINGLE_FILE } from './safetensors.ts';
import { writeSafetensors, type NamedTensor } from './safetensors-writer.ts';

/** Files of a tokenizer in a Hugging Face folder. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
] as const;

const GENERATION_FILE = 'generation_config.json';

/**
 * Copies what the workbench needs of a model folder (configuration, weights, tokenizer) to `to`, which is
 * created and must be empty. Links are followed; where the file system can, the copy shares its blocks.
 */
export async function copyModelFolder(from: string, to: string): Promise<void> {
  const { files, index } = await readWeightFiles(from);
  await emptyFolder(to);
  const weights = [...files.map(({ file }) => basename(file)), ...(index === null ? [] : [basename(index)])];
  for (const name of weights) await copyDurably(join(from, name), join(to, name));
  await copyPresent([...TOKENIZER_FILES, GENERATION_FILE], from, to);
  // The configuration last: a folder without one is plainly unfinished.
  await copyDurably(join(from, CONFIG_FILE), join(to, CONFIG_FILE));
}

/**
 * Writes a Hugging Face folder that transformers loads (`GPT2LMHeadModel.from_pretrained`): weights,
 * generation_config.json, tokenizer files of another folder (null = none) and, last, config.json.
 * `tensors` under canonical names; every one the family needs must be there. Files in `to` are replaced.
 */
export async function saveModelFolder(
  to: string,
  config: ModelConfig,
  tensors: readonly NamedTensor[],
  tokenizerFilesFrom: string | null,
): Promise<void> {
  const family = folderFamily(config);
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const ordered = family.weights(config).map(({ name, shape }) => {
    const tensor = given.get(name);
    invariant(tensor !== undefined, `the weight ${name} is not among those to be saved`);
    invariant(
      tensor.shape.join() === shape.join(),
      `the weight ${name} has the shape [${tensor.shape.join(', ')}]`,
    );
    return { ...tensor, name: family.fileName(name) };
  });
  try {
    await mkdir(to, { recursive: true });
  } catch (error) {
    throw fileError(error, to);
  }
  await writeSafetensors(join(to, SINGLE_FILE), ordered);
  const { bosTokenId, eosTokenId } = config;
  await writeJson(join(to, GENERATION_FILE), {
    _from_model_config: true,
    bos_token_id: bosTokenId,
    eos_token_id: eosTokenId,
  });
  if (tokenizerFilesFrom !== null) await copyPresent(TOKENIZER_FILES, tokenizerFilesFrom, to);
  await writeJson(join(to, CONFIG_FILE), toHuggingFaceConfig(config));
}

/** Writes JSON, whole or not at all; indented for people, or compact. */
export async function writeJson(
  path: string,
  value: unknown,
  layout: 'indented' | 'compact' = 'indented',
): Promise<void> {
  try {
    await writeFileAtomic(path, `${JSON.stringify(value, null, layout === 'indented' ? 2 : undefined)}\n`);
  } catch (error) {
    throw fileError(error, path);
  }
}

async function copyPresent(names: readonly string[], from: string, to: string): Promise<void> {
  const present = new Set(await listed(from));
  for (const name of names.filter((one) => present.has(one)))
    await copyDurably(join(from, name), join(to, name));
}

async function copyDurably(from: string, to: string): Promise<void> {
  try {
    await copyFile(await realpath(from), to, constants.COPYFILE_FICLONE);
    const handle = await open(to, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, from);
  }
}

async function emptyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(error, folder);
  }
  if ((await listed(folder)).length > 0) {
    throw new UserInputError('MODEL_FOLDER_NOT_EMPTY', `${folder} is not empty.`, 'Choose a new folder.');
  }
}

async function listed(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw fileError(error, folder);
  }
}
