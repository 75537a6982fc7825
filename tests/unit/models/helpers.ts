import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { FOLDER_FAMILIES } from '../../../src/main/models/families/index.ts';
import type { NamedTensor } from '../../../src/main/models/index.ts';
import type { ModelConfig } from '../../../src/shared/domain/index.ts';

/** A folder of the repository. */
export const repository = (path: string): string =>
  fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** The small GPT-2 that the reference scripts made. */
export const TINY = repository('tests/reference/tiny-gpt2');

/** A new folder that is gone after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'engram-models-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One layer, two heads, width 4: as small as a GPT-2 can be. */
export const CONFIG: ModelConfig = {
  family: 'gpt2',
  nLayer: 1,
  nHead: 2,
  dModel: 4,
  dMlp: 16,
  nCtx: 8,
  vocabSize: 11,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: 10,
  eosTokenId: 10,
};

/** Every weight of a configuration, counting up from 0 across all of them. */
export function countingWeights(config: ModelConfig): NamedTensor[] {
  let next = 0;
  return FOLDER_FAMILIES[config.family].weights(config).map(({ name, shape }) => ({
    name,
    shape,
    data: Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () => next++),
  }));
}

/** A safetensors file as bytes, whatever its header claims. */
export function safetensorsBytes(header: unknown, data: Uint8Array): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}
