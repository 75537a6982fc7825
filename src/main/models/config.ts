import { join } from 'node:path';
import { z } from 'zod';
import type { ModelConfig } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import { FOLDER_FAMILIES, folderFamily } from './families/index.ts';
import { parseJson, readTextIfAny } from './files.ts';

export const CONFIG_FILE = 'config.json';

const AnyConfig = z.looseObject({ model_type: z.string().optional() });

/**
 * The configuration of a Hugging Face model folder. Throws UserInputError `MODEL_CONFIG_MISSING` and
 * `MODEL_FAMILY_UNKNOWN`, FormatError `MODEL_CONFIG_INVALID`.
 */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, CONFIG_FILE);
  const text = await readTextIfAny(path);
  if (text === null) {
    throw new UserInputError(
      'MODEL_CONFIG_MISSING',
      `${folder} has no ${CONFIG_FILE}.`,
      'Choose the folder of a Hugging Face model (config.json, model.safetensors).',
    );
  }
  return parseModelConfig(parseJson(text, AnyConfig, path, 'MODEL_CONFIG_INVALID'), path);
}

/** A parsed config.json → what the engine needs; `path` names it in errors. */
export function parseModelConfig(json: z.infer<typeof AnyConfig>, path: string): ModelConfig {
  const families = Object.values(FOLDER_FAMILIES);
  const family = families.find((one) => one.modelTypes.includes(json.model_type ?? ''));
  if (family === undefined) {
    const named =
      json.model_type === undefined ? 'names no model_type' : `has the model_type "${json.model_type}"`;
    throw new UserInputError(
      'MODEL_FAMILY_UNKNOWN',
      `${path} ${named}, which Engram cannot run.`,
      `Supported: ${families.map((one) => `${one.label} (${one.modelTypes.join(', ')})`).join('; ')}.`,
    );
  }
  return family.parse(json, path);
}

/** The object to write as config.json; transformers loads it. */
export function toHuggingFaceConfig(config: ModelConfig): Record<string, unknown> {
  return folderFamily(config).toHuggingFace(config);
}

/** Number of parameters, shared embeddings counted once. */
export function parameterCount(config: ModelConfig): number {
  return folderFamily(config)
    .weights(config)
    .reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}

/** For people: `GPT-2`. */
export function familyLabel(config: ModelConfig): string {
  return folderFamily(config).label;
}
