import { describe, expect, it } from 'vitest';
import {
  planMemory,
  trainingBytes,
  trainingFlopsPerToken,
} from '../../../../../src/main/engine/nn/trainingCost.ts';
import type { ModelConfig } from '../../../../../src/shared/domain/index.ts';

const GPT2: ModelConfig = {
  family: 'gpt2',
  nLayer: 12,
  nHead: 12,
  dModel: 768,
  dMlp: 3072,
  nCtx: 1024,
  vocabSize: 50_257,
  layerNormEps: 1e-5,
  activation: 'gelu_new',
  tiedEmbeddings: true,
  bosTokenId: 50_256,
  eosTokenId: 50_256,
};
const PARAMETERS = 124_439_808;
const GB = 2 ** 30;

describe('what training costs', () => {
  it('is near what was measured with GPT-2 124M', () => {
    const bytes = (rows: number, length: number): number =>
      trainingBytes('whole', GPT2, PARAMETERS, rows, length);
    // Measured peaks, the moments (not yet touched then) added: 4.9, 6.5 and 4.6 GB. A tenth either way.
    expect(Math.abs(bytes(1, 512) / GB / 4.9 - 1)).toBeLessThan(0.1);
    expect(Math.abs(bytes(2, 512) / GB / 6.5 - 1)).toBeLessThan(0.1);
    expect(Math.abs(bytes(4, 128) / GB / 4.6 - 1)).toBeLessThan(0.1);
  });

  it('is six operations a parameter and token, attention apart', () => {
    const embeddings = GPT2.nCtx * GPT2.dModel;
    expect(trainingFlopsPerToken(GPT2, 0) / (6 * (PARAMETERS - embeddings))).toBeCloseTo(1, 2);
    expect(trainingFlopsPerToken(GPT2, 512)).toBeGreaterThan(trainingFlopsPerToken(GPT2, 0));
  });

  it('takes one graph while it fits, then layers, then fewer rows at a time, and says when nothing does', () => {
    const plan = (wanted: number, length: number, limit: number): unknown => {
      const found = planMemory(GPT2, PARAMETERS, wanted, length, limit * GB);
      return found === null ? null : [found.mode, found.rows];
    };
    expect(plan(8, 512, 100)).toEqual(['whole', 8]);
    expect(plan(8, 512, 8)).toEqual(['layers', 8]);
    expect(plan(8, 512, 3.4)).toEqual(['layers', 4]);
    expect(plan(8, 512, 2)).toBeNull();
    expect(planMemory(GPT2, PARAMETERS, 8, 512, 7 * GB, ['whole'])).toMatchObject({ mode: 'whole', rows: 2 });
  });
});
