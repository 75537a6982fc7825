import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { FolderFamily } from './family.ts';
import { gpt2 } from './gpt2.ts';
import { llama } from './llama.ts';

/** One entry per model family. */
export const FOLDER_FAMILIES: Readonly<Record<ModelConfig['family'], FolderFamily>> = { gpt2, llama };

/** The family of a configuration. */
export function folderFamily(config: ModelConfig): FolderFamily {
  return FOLDER_FAMILIES[config.family];
}
