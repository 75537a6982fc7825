import { describe, expect, it } from 'vitest';
import { smooth, stopEpoch } from '../../../src/renderer/features/models/lossChart.ts';
import { paperDifferences } from '../../../src/renderer/features/models/paperDifferences.ts';
import { appendSteps } from '../../../src/renderer/features/models/run.svelte.ts';
import { nearRange } from '../../../src/renderer/features/models/runStats.ts';
import { readNumber, SETTINGS } from '../../../src/renderer/features/models/settingsTable.ts';
import { registryLines, viewOf } from '../../../src/renderer/features/models/view.ts';
import { Model, TRAINING_PRESETS, TrainingConfig, TrainingRun } from '../../../src/shared/domain/index.ts';

const model = (id: number, parentId: number | null = null): Model =>
  Model.parse({
    id,
    name: `m${id}`,
    origin: parentId === null ? 'imported' : 'fine-tuned',
    parentId,
    trainingRunId: null,
    config: {
      family: 'gpt2',
      nLayer: 1,
      nHead: 1,
      dModel: 8,
      dMlp: 32,
      nCtx: 16,
      vocabSize: 9,
      layerNormEps: 1e-5,
      activation: 'gelu_new',
      tiedEmbeddings: true,
      bosTokenId: null,
      eosTokenId: null,
    },
    parameters: 1,
    bytes: 4,
    tokenizer: 'none',
    weightsHash: 'h',
    createdAt: '2026-11-21T00:00:00.000Z',
    evaluation: null,
  });
const run = (
  id: number,
  status: TrainingRun['status'],
  change: Partial<Record<string, unknown>> = {},
): TrainingRun =>
  TrainingRun.parse({
    id,
    name: `r${id}`,
    baseModelId: 1,
    modelId: null,
    datasetId: 1,
    jobId: null,
    config: TRAINING_PRESETS.I,
    status,
    createdAt: '2026-11-21T00:00:00.000Z',
    totalSteps: 3600,
    step: 0,
    bestEpoch: null,
    bestValidationLoss: null,
    stoppedEarly: false,
    warnings: [],
    provenance: null,
    ...change,
  });
const step = (n: number, epoch = n) => ({
  step: n,
  epoch,
  loss: 1,
  learningRate: 1,
  gradientNorm: 1,
  tokensPerSecond: 1,
});
const epoch = (n: number, best: boolean) => ({ epoch: n, step: n, trainLoss: 1, validationLoss: 1, best });

describe('the registry', () => {
  it('sets fine-tuned models and unfinished runs under their base, and a run that became a model once', () => {
    const lines = registryLines(
      [model(1), model(2, 1), model(3)],
      [run(7, 'running'), run(8, 'complete', { modelId: 2 })],
    );
    const shown = lines.map((l) => [l.depth, l.kind === 'run' ? l.run.name : l.model.name]);
    expect(shown).toEqual([
      [0, 'm1'],
      [1, 'r7'],
      [1, 'm2'],
      [0, 'm3'],
    ]);
    expect(lines[2]?.run?.name).toBe('r8');
  });
  it('keeps a model whose base was removed', () => {
    expect(registryLines([model(2, 1)], []).map((l) => l.depth)).toEqual([0]);
  });
  it('opens what the place names, else what runs, else the newest', () => {
    const models = [model(1), model(2)];
    expect(viewOf(['model', '1'], models, [])).toMatchObject({ kind: 'model', model: { name: 'm1' } });
    expect(viewOf(['train', '2'], models, [])).toMatchObject({ kind: 'train' });
    expect(viewOf(['get'], models, [run(5, 'running')])).toEqual({ kind: 'get' });
    expect(viewOf(['run', '99'], models, [run(5, 'running')])).toMatchObject({
      kind: 'run',
      run: { name: 'r5' },
    });
    expect(viewOf([], models, [run(5, 'complete')])).toMatchObject({ kind: 'model', model: { name: 'm2' } });
    expect(viewOf([], [], [])).toBeUndefined();
  });
});

describe('training curves', () => {
  it('smooth without lag: a straight line stays itself, ends included', () => {
    expect(smooth([1, 2, 3, 4, 5], 2)).toEqual([1, 2, 3, 4, 5]);
    expect(smooth([0, 3, 0], 1)).toEqual([0, 1, 0]);
    expect(smooth([], 3)).toEqual([]);
  });
  it('grow by newer steps, and take a resumed run from where it continues', () => {
    expect(appendSteps([step(1), step(2)], [step(3)]).map((p) => p.step)).toEqual([1, 2, 3]);
    expect(appendSteps([step(1), step(2), step(3)], [step(2)]).map((p) => p.step)).toEqual([1, 2]);
    expect(appendSteps([step(1)], [])).toHaveLength(1);
  });
  it('know when patience would end the run', () => {
    const epochs = [epoch(6, true), epoch(7, true), epoch(8, false)];
    expect(stopEpoch(run(1, 'running'), epochs)).toBe(10);
    expect(
      stopEpoch(run(1, 'running', { config: { ...TRAINING_PRESETS.I, patience: 0 } }), epochs),
    ).toBeNull();
    expect(stopEpoch(run(1, 'running'), [epoch(29, true)])).toBeNull();
    expect(nearRange(run(1, 'running'), [step(9)], epochs, true)).toBe(15);
    expect(nearRange(run(1, 'complete'), [step(10, 9.4)], epochs, false)).toBe(10);
  });
});

describe('the settings of a run', () => {
  it('name every field of the configuration that a user may change, once', () => {
    const keys = SETTINGS.map((s) => s.key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(Object.keys(TrainingConfig.shape)).toContain(key);
  });
  it('accept each preset, and refuse what the configuration refuses', () => {
    for (const preset of Object.values(TRAINING_PRESETS)) {
      for (const setting of SETTINGS) {
        if (setting.kind !== 'number') continue;
        expect(readNumber(setting, String(preset[setting.key]))).toEqual({ value: preset[setting.key] });
        for (const wrong of ['', 'x', '-1', 'Infinity'])
          expect(readNumber(setting, wrong)).toHaveProperty('problem');
      }
    }
  });
  it('read the minus the form itself writes', () => {
    const rate = SETTINGS.find((s) => s.kind === 'number' && s.key === 'learningRate');
    expect(rate?.kind === 'number' && readNumber(rate, '5e−5')).toEqual({ value: 5e-5 });
  });
  it('choose between values the configuration accepts', () => {
    for (const setting of SETTINGS) {
      if (setting.kind !== 'choice') continue;
      for (const { apply } of setting.options) {
        expect(TrainingConfig.safeParse({ ...TRAINING_PRESETS.I, ...apply }).success).toBe(true);
        expect(Object.keys(apply)).toEqual([setting.key]);
      }
    }
  });
  it('tell which of the paper’s text and code they follow', () => {
    const used = paperDifferences({
      ...TRAINING_PRESETS.II,
      longAbstracts: 'chunk',
      schedule: 'constant-after-warmup',
    }).map((d) => d.used);
    expect(used).toEqual(['text', 'code', 'text', 'code']);
    expect(paperDifferences(TRAINING_PRESETS['I-text']).map((d) => d.used)).toEqual(used);
    const [joined] = paperDifferences({ ...TRAINING_PRESETS.quick, longAbstracts: 'pack' });
    expect(joined).toMatchObject({ used: 'neither', own: 'joined' });
  });
});
