import { describe, expect, it } from 'vitest';
import type { TrainingData } from '../../../../../src/main/jobs/training-data.ts';
import { estimateTraining } from '../../../../../src/main/services/training/estimate.ts';
import { TRAINING_PRESETS, type Model } from '../../../../../src/shared/domain/index.ts';

const GB = 2 ** 30;
const GPT2: Pick<Model, 'config' | 'origin'> = {
  origin: 'imported',
  config: {
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
  },
};
const SMALL: typeof GPT2 = {
  origin: 'created',
  config: { ...GPT2.config, nLayer: 4, nHead: 4, dModel: 128, dMlp: 512, nCtx: 128, vocabSize: 1500 },
};

/** Texts of 300 tokens each; only their number and lengths matter here. */
function data(train: number, length: number, each = 300): TrainingData {
  const part = (count: number): TrainingData['train'] => ({
    block: {
      ids: new Int32Array(0),
      lengths: new Int32Array(count).fill(Math.min(length, each)),
      count,
      length,
    },
    cutTexts: 0,
    cutTokens: 0,
    emptyTexts: 0,
  });
  return { train: part(train), validation: part(train / 4), samplePrompt: [], eosTokenId: 0 };
}

/** Two cores with AVX-512. */
const machine = { flops: 235e9, memoryBytes: 8 * GB, provider: 'cpu' } as const;

describe('the estimate of a run', () => {
  it('gives Config I in full: about 122 million tokens, batches in two parts within 8 GB, days on two cores', () => {
    // The study's 9,958 abstracts, four fifths of them for training.
    const estimate = estimateTraining(data(7966, 512), GPT2, TRAINING_PRESETS.I, machine);
    expect(estimate.totalTokens / 1e6).toBeCloseTo(122.4, 1);
    expect(estimate).toMatchObject({ steps: 30 * 249, fits: true, memory: { mode: 'whole', rows: 4 } });
    expect(estimate.memoryBytes).toBeLessThan(8 * GB);
    expect(estimate.seconds / 86_400).toBeGreaterThan(5);
    expect(estimate.warnings.join()).toContain('half precision');
    expect(estimate.epochsInHalfHour).toBeNull();
  });

  it('counts no padding that is masked, and the validation, which is read only', () => {
    const one = { ...TRAINING_PRESETS.II, epochs: 1 };
    const short = estimateTraining(data(800, 512, 100), GPT2, one, machine);
    const long = estimateTraining(data(800, 512, 400), GPT2, one, machine);
    expect(short.totalTokens).toBe(80_000);
    expect(long.seconds / short.seconds).toBeGreaterThan(3);
    const held = data(800, 512, 100);
    const unread = {
      ...held,
      validation: {
        ...held.validation,
        block: { ...held.validation.block, count: 0, lengths: new Int32Array(0) },
      },
    };
    expect(estimateTraining(unread, GPT2, one, machine).seconds).toBeLessThan(short.seconds);
  });

  it('takes half as long on a machine twice as fast, but for the passes over memory', () => {
    const fast = estimateTraining(data(800, 512), GPT2, TRAINING_PRESETS.II, { ...machine, flops: 470e9 });
    const slow = estimateTraining(data(800, 512), GPT2, TRAINING_PRESETS.II, machine);
    expect(slow.seconds / fast.seconds).toBeGreaterThan(1.4);
    expect(slow.seconds / fast.seconds).toBeLessThan(2);
  });

  it('refuses what cannot fit and offers shorter sequences that can', () => {
    const tight = { ...machine, memoryBytes: 2.85 * GB };
    const refused = estimateTraining(data(80, 512), GPT2, TRAINING_PRESETS.I, tight);
    expect(refused).toMatchObject({ fits: false, memory: null, limitBytes: tight.memoryBytes });
    expect(refused.warnings[0]).toContain('more memory');
    const [offer] = refused.offers;
    expect(offer?.kind).toBe('shorten');
    const shorter = estimateTraining(
      data(80, offer?.change.sequenceLength ?? 0),
      GPT2,
      { ...TRAINING_PRESETS.I, ...offer?.change },
      tight,
    );
    expect(shorter).toMatchObject({ fits: true, memoryBytes: offer?.memoryBytes });
    const hopeless = { ...machine, memoryBytes: GB };
    expect(estimateTraining(data(80, 512), GPT2, TRAINING_PRESETS.I, hopeless).offers).toEqual([]);
  });

  it('offers smaller batches with more accumulation, recomputing, and as memory allows, for whole batches', () => {
    const whole = { ...TRAINING_PRESETS.II, memoryMode: 'whole' } as const;
    const refused = estimateTraining(data(800, 512), GPT2, whole, machine);
    expect(refused).toMatchObject({ fits: false, memory: null });
    expect(refused.memoryBytes).toBeGreaterThan(machine.memoryBytes);
    expect(refused.warnings[0]).toContain('Batches of 8 do not fit in one graph');
    expect(refused.offers.map(({ kind, change }) => [kind, change])).toEqual([
      ['accumulate', { batchSize: 4, accumulation: 8 }],
      ['recompute', { memoryMode: 'layers' }],
      ['auto', { memoryMode: 'auto' }],
      ['shorten', { sequenceLength: 256 }],
    ]);
    for (const { change, memoryBytes, seconds } of refused.offers) {
      const length = change.sequenceLength ?? 512;
      const taken = estimateTraining(data(800, length), GPT2, { ...whole, ...change }, machine);
      expect(taken).toMatchObject({ fits: true, memoryBytes });
      // An offer does not count texts again: what shorter sequences leave out is estimated.
      expect(seconds / taken.seconds).toBeGreaterThan(0.5);
      expect(seconds / taken.seconds).toBeLessThan(1.01);
    }
    const batches = { ...whole, accumulationMean: 'batches' } as const;
    const kinds = estimateTraining(data(800, 512), GPT2, batches, machine).offers.map((o) => o.kind);
    expect(kinds).not.toContain('accumulate');
  });

  it('offers smaller batches layer by layer where whole ones do not fit even so', () => {
    const layers = { ...TRAINING_PRESETS.II, memoryMode: 'layers' } as const;
    const refused = estimateTraining(data(800, 512), GPT2, layers, { ...machine, memoryBytes: 4.5 * GB });
    expect(refused.fits).toBe(false);
    expect(refused.offers[0]).toMatchObject({
      kind: 'accumulate',
      change: { batchSize: 4, accumulation: 8 },
    });
  });

  it('offers a warm-up that ends within the run', () => {
    const { offers, steps } = estimateTraining(data(80, 512), GPT2, TRAINING_PRESETS.II, machine);
    expect(offers.map((o) => o.kind)).toEqual(['warmup']);
    expect(offers[0]?.change.warmupSteps).toBeLessThan(steps / 5);
  });

  it('always says what the study itself would take here', () => {
    const { fullStudy } = estimateTraining(data(80, 128), SMALL, TRAINING_PRESETS.quick, machine);
    const asked = estimateTraining(data(7966, 512), GPT2, TRAINING_PRESETS.I, machine);
    expect(fullStudy).toMatchObject({ tokens: asked.totalTokens, steps: asked.steps });
    expect(fullStudy.memoryBytes).toBe(asked.memoryBytes);
    expect(fullStudy.seconds / asked.seconds).toBeCloseTo(1, 2);
  });

  it('warns of a warm-up longer than the run, and of the desktop preset where it does not suit', () => {
    const warnings = (...args: Parameters<typeof estimateTraining>): string =>
      estimateTraining(...args).warnings.join('\n');
    expect(warnings(data(80, 512), GPT2, TRAINING_PRESETS.II, machine)).toContain('warm-up of 500 steps');
    expect(warnings(data(800, 128), SMALL, TRAINING_PRESETS.quick, machine)).toBe('');
    const wrong = warnings(data(8000, 128), GPT2, TRAINING_PRESETS.quick, machine);
    expect(wrong).toContain('made from scratch');
    expect(wrong).toContain('longer than half an hour');
    const fitting = estimateTraining(data(800, 128), SMALL, TRAINING_PRESETS.quick, machine);
    expect(fitting.epochsInHalfHour).toBeGreaterThanOrEqual(12);
    expect(fitting.seconds).toBeLessThan(1800);
  });

  it('says where half precision is not what is computed, and what no GPU has run', () => {
    const half = { ...TRAINING_PRESETS.II, precision: 'mixed-f16' } as const;
    const warnings = (config: typeof half | typeof TRAINING_PRESETS.I, provider: 'cpu' | 'cuda'): string =>
      estimateTraining(data(80, 512), GPT2, config, { ...machine, provider }).warnings.join('\n');
    expect(warnings(half, 'cpu')).toContain('The cpu provider gains nothing from half precision');
    expect(warnings(half, 'cuda')).not.toContain('gains nothing');
    expect(warnings(half, 'cuda')).toContain('no training on a GPU');
    expect(warnings(TRAINING_PRESETS.I, 'cpu')).toContain('was run in half precision');
    expect(warnings({ ...TRAINING_PRESETS.I, precision: 'mixed-f16' }, 'cuda')).not.toContain('was run in');
  });
});
