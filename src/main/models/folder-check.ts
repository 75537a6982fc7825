import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import type { z } from 'zod';
import { kvHeads, type ModelConfig, type ModelFolderCheck } from '../../shared/domain/index.ts';
import { toEngramError } from '../../shared/errors/index.ts';
import { parameterCount, readModelConfig } from './config.ts';
import { folderFamily } from './families/index.ts';
import { matchWeights } from './folder.ts';
import { readWeightFiles, type WeightFiles } from './safetensors.ts';
import { byteText } from './sizes.ts';
import { openTokenizer } from './tokenizer.ts';

type FolderCheck = z.infer<typeof ModelFolderCheck>;

/** The engine computes with float32 weights. */
const FLOAT_BYTES = 4;

const count = (n: number): string => n.toLocaleString('en-US');

/**
 * What is right and wrong with a folder, one line an item, in the order in which a person would look. Never
 * throws: a fault is the detail of its line. Lines that need an earlier, failed one are left out.
 */
export async function checkModelFolder(folder: string): Promise<FolderCheck[]> {
  const checks: FolderCheck[] = [];
  /** Adds a line; the value, or undefined after a fault. */
  const line = async <T>(
    item: string,
    look: () => T | Promise<T>,
    detail: (value: T) => string,
  ): Promise<T | undefined> => {
    try {
      const value = await look();
      checks.push({ item, ok: true, detail: detail(value) });
      return value;
    } catch (error) {
      const { message, next } = toEngramError(error);
      checks.push({ item, ok: false, detail: `${message} ${next}` });
      return undefined;
    }
  };

  const config = await line('Configuration', () => readModelConfig(folder), describeConfig);
  const files = await line('Weight files', () => readWeightFiles(folder), describeFiles);
  if (config !== undefined && files !== undefined) {
    await line(
      'Every weight, in the right shape',
      () => matchWeights(folder, config, files),
      (tensors) =>
        `${count(tensors.size)} weights, ${count(parameterCount(config))} parameters, ` +
        `${byteText(parameterCount(config) * FLOAT_BYTES)} in memory`,
    );
  }
  await line(
    'Tokenizer',
    async () => (await openTokenizer(folder))?.description ?? (await withoutTokenizer(folder)),
    (description) => description,
  );
  return checks;
}

/** `Llama: 16 layers, 32 heads over 8 key/value heads, width 2,048, context 8,192, vocabulary 128,256`. */
function describeConfig(config: ModelConfig): string {
  const { nLayer, nHead, dModel, nCtx, vocabSize } = config;
  const groups = kvHeads(config) === nHead ? '' : ` over ${kvHeads(config)} key/value heads`;
  return (
    `${folderFamily(config).label}: ${nLayer} layers, ${nHead} heads${groups}, width ${count(dModel)}, ` +
    `context ${count(nCtx)}, vocabulary ${count(vocabSize)}`
  );
}

function describeFiles({ files, tensors }: WeightFiles): string {
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const formats = [...new Set([...tensors.values()].map(({ dtype }) => dtype))].sort().join(', ');
  const [first] = files;
  const named = files.length === 1 && first !== undefined ? basename(first.file) : `${files.length} shards`;
  return `${named}, ${byteText(bytes)}, ${formats}`;
}

/** SentencePiece's own file, from which transformers makes tokenizer.json. */
const SENTENCEPIECE_FILE = 'tokenizer.model';

async function withoutTokenizer(folder: string): Promise<string> {
  const ids = 'prompts can only be given as token ids';
  const names = await readdir(folder).catch((): string[] => []);
  return names.includes(SENTENCEPIECE_FILE)
    ? `none: of ${SENTENCEPIECE_FILE} Engram needs the form tokenizer.json, which transformers saves; else ${ids}`
    : `none: ${ids}`;
}
