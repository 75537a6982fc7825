import { describe, expect, it } from 'vitest';
import {
  earlierForm,
  PresetName,
  StoredTrainingConfig,
  TRAINING_PRESETS,
} from '../../../../src/shared/domain/index.ts';

/** A configuration as version 0.1 stored it, key by key. */
const STORED =
  '{"preset":"II","epochs":10,"patience":5,"learningRate":0.00002,"weightDecay":0.1,"beta1":0.9,"beta2":0.999,' +
  '"epsilon":1e-8,"batchSize":8,"evalBatchSize":2,"accumulation":4,"warmupSteps":500,"sequenceLength":512,' +
  '"longAbstracts":"chunk","paddingInLoss":false,"schedule":"linear-decay","clip":1,"dropout":0.1,' +
  '"precision":"f32","seed":42}';

describe('a stored configuration', () => {
  it('of an older version is completed with what that version did, and keeps its name', () => {
    const config = StoredTrainingConfig.parse(JSON.parse(STORED));
    expect(config).toMatchObject({
      longAbstracts: 'pack',
      endOfText: true,
      eosInLoss: true,
      paddingAttended: true,
      decay: 'matrices',
      firstRate: 'zero',
      accumulationMean: 'tokens',
      evaluationMean: 'batches',
    });
    expect(JSON.stringify(earlierForm(config))).toBe(JSON.stringify(JSON.parse(STORED)));
  });

  it('of this version stays as it is, and makes another choice another run', () => {
    for (const name of PresetName.options) {
      const config = TRAINING_PRESETS[name];
      expect(config.preset).toBe(name);
      expect(StoredTrainingConfig.parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
    }
    const { quick } = TRAINING_PRESETS;
    const names = [
      quick,
      { ...quick, longAbstracts: 'chunk' as const },
      { ...quick, longAbstracts: 'pack' as const },
      { ...quick, evaluationMean: 'batches' as const },
      { ...quick, firstRate: 'one-step' as const },
      { ...quick, memoryMode: 'layers' as const },
    ].map((config) => JSON.stringify(earlierForm(config)));
    expect(new Set(names).size).toBe(names.length);
  });

  it('of before memory could be chosen is computed as memory allows, and keeps its name', () => {
    const { memoryMode, ...before } = TRAINING_PRESETS.I;
    const config = StoredTrainingConfig.parse(before);
    expect(config.memoryMode).toBe(memoryMode);
    expect(earlierForm(config)).toEqual(before);
  });

  it('differs between the readings only where the text speaks', () => {
    for (const [code, text] of [
      ['I', 'I-text'],
      ['II', 'II-text'],
    ] as const) {
      expect(TRAINING_PRESETS[text]).toEqual({
        ...TRAINING_PRESETS[code],
        preset: text,
        longAbstracts: 'chunk',
        schedule: 'constant-after-warmup',
      });
    }
  });
});
