import { describe, expect, it } from 'vitest';
import {
  planMemory,
  trainingBytes,
  trainingFlopsPerToken,
  trainingSeconds,
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
  it.each([
    // Measured peaks; in one graph a copy of the parameters (0.46 GB) added, which a step of several batches takes.
    ['whole', 1, 64, 3.18],
    ['whole', 1, 512, 3.94],
    ['whole', 2, 512, 4.65],
    ['whole', 4, 128, 3.88],
    ['layers', 1, 64, 2.56],
    ['layers', 1, 512, 3.07],
    ['layers', 4, 512, 4.21],
    ['layers', 8, 512, 5.73],
  ] as const)('is near what was measured with GPT-2 124M: %s, %d × %d tokens', (mode, rows, length, gb) => {
    // A tenth either way.
    expect(Math.abs(trainingBytes(mode, GPT2, PARAMETERS, rows, length) / GB / gb - 1)).toBeLessThan(0.1);
  });

  it('is six operations a parameter and token, attention apart', () => {
    const embeddings = GPT2.nCtx * GPT2.dModel;
    expect(trainingFlopsPerToken(GPT2, 0) / (6 * (PARAMETERS - embeddings))).toBeCloseTo(1, 2);
    expect(trainingFlopsPerToken(GPT2, 512)).toBeGreaterThan(trainingFlopsPerToken(GPT2, 0));
  });

  it('takes one graph while it fits, in parts if need be, then layers, and says when nothing does', () => {
    const plan = (wanted: number, length: number, limit: number): unknown => {
      const found = planMemory(GPT2, PARAMETERS, wanted, length, limit * GB);
      return found === null ? null : [found.mode, found.rows];
    };
    expect(plan(8, 512, 100)).toEqual(['whole', 8]);
    // The case: batches of 8 sequences of 512 tokens within 8 GB. The quicker mode, in two parts.
    expect(plan(8, 512, 8)).toEqual(['whole', 4]);
    expect(trainingBytes('layers', GPT2, PARAMETERS, 8, 512)).toBeLessThan(6 * GB);
    expect(plan(8, 512, 3.6)).toEqual(['layers', 2]);
    // Parts of less than 256 tokens are not worth it.
    expect(plan(8, 64, 3.15)).toEqual(['layers', 8]);
    expect(plan(8, 512, 2.5)).toBeNull();
    expect(planMemory(GPT2, PARAMETERS, 8, 512, 5 * GB, ['whole'])).toMatchObject({ mode: 'whole', rows: 2 });
  });

  it('takes the time of its products at large sizes, and of passes and updates at small ones', () => {
    const work = { config: GPT2, parameters: PARAMETERS, mode: 'whole', readTokens: 0, length: 512 } as const;
    const seconds = trainingSeconds({ ...work, tokens: 2048, steps: 1 }, 235e9);
    // Measured: 9.4 s and 0.95 s for the update. A quarter either way.
    expect(Math.abs(seconds / 10.3 - 1)).toBeLessThan(0.25);
    // The bundled sample: 313 texts of about 85 tokens, 12 epochs, 34 s measured.
    const config = { ...GPT2, nLayer: 4, nHead: 4, dModel: 128, dMlp: 512, nCtx: 128, vocabSize: 1500 };
    const sample = {
      config,
      parameters: 1_003_000,
      mode: 'whole',
      tokens: 412_000,
      readTokens: 103_000,
    } as const;
    expect(Math.abs(trainingSeconds({ ...sample, length: 85, steps: 470 }, 235e9) / 34 - 1)).toBeLessThan(
      0.25,
    );
    const twice = trainingSeconds({ ...work, tokens: 4096, steps: 1 }, 235e9);
    expect(twice).toBeGreaterThan(1.8 * seconds);
    expect(trainingSeconds({ ...work, mode: 'layers', tokens: 2048, steps: 1 }, 235e9)).toBeGreaterThan(
      seconds,
    );
    expect(trainingSeconds({ ...work, tokens: 2048, readTokens: 2048, steps: 1 }, 235e9)).toBeGreaterThan(
      seconds,
    );
  });
});
