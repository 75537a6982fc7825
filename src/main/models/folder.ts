import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ModelConfig } from '../../shared/domain/index.ts';
import { FormatError, UserInputError } from '../../shared/errors/index.ts';
import { readModelConfig } from './config.ts';
import { folderFamily } from './families/index.ts';
import { fileError } from './files.ts';
import { readWeightFiles, type WeightFiles } from './safetensors.ts';
import { isFloat } from './safetensors-values.ts';
import type { ModelFolder, TensorEntry } from './types.ts';

/**
 * Opens a Hugging Face model folder and checks it: configuration, weight files, and every weight the family
 * needs, in the right shape. What the family does not use (mask buffers, a second copy of a tied head) is
 * left out. Values are not read. Throws UserInputError or FormatError, whose message names file and weight.
 */
export async function openModelFolder(folder: string): Promise<ModelFolder> {
  const config = await readModelConfig(folder);
  const files = await readWeightFiles(folder);
  const tensors = matchWeights(folder, config, files);
  let hash: Promise<string> | undefined;
  return {
    folder,
    config,
    tensors,
    weightsHash: () => (hash ??= hashFiles(files.files.map(({ file }) => file))),
  };
}

/**
 * The required weights under their canonical names. Throws FormatError `MODEL_WEIGHT_MISSING`,
 * `MODEL_WEIGHT_SHAPE`, `MODEL_WEIGHTS_DTYPE`, UserInputError `MODEL_WEIGHT_TWICE`.
 */
export function matchWeights(
  folder: string,
  config: ModelConfig,
  files: WeightFiles,
): ReadonlyMap<string, TensorEntry> {
  const family = folderFamily(config);
  const found = new Map<string, TensorEntry>();
  for (const [name, entry] of files.tensors) {
    const canonical = family.canonicalName(name);
    const other = found.get(canonical);
    if (other !== undefined) {
      throw new UserInputError(
        'MODEL_WEIGHT_TWICE',
        `${folder} holds ${canonical} twice, as "${other.name}" and "${name}".`,
        'Save the model again with transformers.',
      );
    }
    found.set(canonical, entry);
  }
  const specs = family.weights(config);
  const missing = specs.filter(({ name }) => !found.has(name));
  const [first] = missing;
  if (first !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
    throw new FormatError(
      'MODEL_WEIGHT_MISSING',
      `${folder} has no weight ${family.fileName(first.name)}${more}, which config.json asks for.`,
      'Choose a folder whose config.json belongs to its weights.',
    );
  }
  return new Map(specs.map(({ name, shape }) => [name, checkedWeight(name, shape, found.get(name))]));
}

function checkedWeight(name: string, shape: readonly number[], entry: TensorEntry | undefined): TensorEntry {
  const where = entry === undefined ? name : `${entry.file}: weight ${entry.name}`;
  if (entry === undefined || entry.shape.join() !== shape.join()) {
    throw new FormatError(
      'MODEL_WEIGHT_SHAPE',
      `${where} has the shape [${entry?.shape.join(', ') ?? ''}]; config.json asks for [${shape.join(', ')}].`,
      'Choose a folder whose config.json belongs to its weights.',
    );
  }
  if (!isFloat(entry.dtype)) {
    throw new FormatError(
      'MODEL_WEIGHTS_DTYPE',
      `${where} holds ${entry.dtype}, not floating-point numbers.`,
      'Save the model in float32, float16 or bfloat16.',
    );
  }
  return entry;
}

/** SHA-256 over the bytes of the files, one after the other. */
async function hashFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    try {
      await pipeline(
        createReadStream(file, { highWaterMark: 1 << 20 }),
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) hash.update(chunk);
        },
      );
    } catch (error) {
      throw fileError(error, file);
    }
  }
  return hash.digest('hex');
}
