import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { FolderFamily } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { gptj } from './gptj.ts';
import { llama } from './llama.ts';
import { neox } from './neox.ts';

/** One entry per model family. */
export const FOLDER_FAMILIES: Readonly<Record<ModelConfig['family'], FolderFamily>> = {
  gpt2,
  llama,
  gpt_neox: neox,
  gptj,
};

/** The family of a configuration. */
export function folderFamily(config: ModelConfig): FolderFamily {
  return FOLDER_FAMILIES[config.family];
}
