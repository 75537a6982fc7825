import { describe, expect, test } from 'vitest';
import {
  type DatasetId,
  FreezeOptions,
  type ModelId,
  type PairLine,
  TRAINING_PRESETS,
} from '../../../src/shared/domain/index.ts';
import type { NewModel, Study } from '../../../src/main/store/index.ts';
import { addRecords, tempStudy } from '../../support/store.ts';

const coded = (code: string): unknown => expect.objectContaining({ kind: 'user', code });

const model = (changes: Partial<NewModel> = {}): NewModel => ({
  name: 'gpt2-small',
  origin: 'created',
  parentId: null,
  trainingRunId: null,
  config: {
    family: 'gpt2',
    nLayer: 2,
    nHead: 2,
    dModel: 16,
    dMlp: 64,
    nCtx: 32,
    vocabSize: 100,
    layerNormEps: 1e-5,
    activation: 'gelu_new',
    tiedEmbeddings: true,
    bosTokenId: null,
    eosTokenId: null,
  },
  parameters: 1000,
  bytes: 4000,
  tokenizer: 'none',
  weightsHash: 'a'.repeat(64),
  evaluation: null,
  artifactHash: '',
  ...changes,
});

function addModel(study: Study, changes: Partial<NewModel> = {}) {
  return study.artifacts.putBytes(new TextEncoder().encode('weights'), 'w.bin', ({ hash }) =>
    study.models.insert(model({ ...changes, artifactHash: hash })),
  );
}

describe('models', () => {
  test('are listed, found by name or number, renamed, and removed to the trash', () => {
    const study = tempStudy();
    const base = addModel(study);
    const tuned = addModel(study, { name: 'tuned', parentId: base.id, origin: 'fine-tuned' });
    expect(study.models.list().map((m) => m.name)).toEqual(['gpt2-small', 'tuned']);
    expect(study.models.find('tuned')).toEqual(tuned);
    expect(study.models.find(String(base.id))).toEqual(base);
    expect(study.models.artifactOf(base.id)).toBe(study.artifacts.list()[0]!.hash);
    expect(study.models.rename(tuned.id, 'epilepsy').name).toBe('epilepsy');
    study.models.remove(tuned.id);
    expect(study.models.list()).toEqual([base]);
    expect(study.models.get(tuned.id).name).toBe('epilepsy');
    expect(study.undo.history().undo).toBe('Remove model epilepsy');
    study.undo.undo();
    expect(study.models.count()).toBe(2);
  });

  test('keep their evaluation', () => {
    const study = tempStudy();
    const { id } = addModel(study);
    const evaluation = {
      datasetId: null,
      validationLoss: 2.5,
      perplexity: 12.2,
      pairAccuracy: [],
      sample: { prompt: 'An', text: ' EEG' },
    };
    study.models.setEvaluation(id, evaluation);
    expect(study.models.get(id).evaluation).toEqual(evaluation);
  });

  test('need their artifact, and one that is not there is named', () => {
    const study = tempStudy();
    expect(() => study.models.insert(model({ artifactHash: 'nothing' }))).toThrow(/FOREIGN KEY/);
    expect(() => study.models.get(5 as ModelId)).toThrow('The study has no model with the number 5.');
  });
});

test('a training run keeps its series, and forgets what a resumed run repeats', () => {
  const study = tempStudy();
  addRecords(study, [
    { title: 'A', abstract: 'a' },
    { title: 'B', abstract: 'b' },
  ]);
  const dataset = study.datasets.freeze(FreezeOptions.parse({ name: 'D', testFraction: 0.5 }));
  const base = addModel(study);
  const run = study.training.insert({
    name: 'First',
    baseModelId: base.id,
    datasetId: dataset.id,
    config: TRAINING_PRESETS.quick,
    warnings: ['short'],
  });
  expect(run).toMatchObject({
    status: 'queued',
    step: 0,
    config: TRAINING_PRESETS.quick,
    warnings: ['short'],
  });
  const step = (n: number, loss = 1 / n) => ({
    step: n,
    epoch: n / 2,
    loss,
    learningRate: 1e-3,
    gradientNorm: 0.5,
    tokensPerSecond: 100,
  });
  study.training.addSteps(run.id, [step(1), step(2), step(3, Number.NaN)]);
  study.training.addEpoch(run.id, { epoch: 1, step: 2, trainLoss: 1, validationLoss: 2, best: true });
  study.training.addEpoch(run.id, { epoch: 2, step: 4, trainLoss: 0.5, validationLoss: 1, best: true });
  expect(study.training.steps(run.id)).toEqual([step(1), step(2), step(3, Number.NaN)]);
  expect(study.training.epochs(run.id).map((e) => e.best)).toEqual([false, true]);
  study.training.truncateAfter(run.id, 2);
  expect(study.training.steps(run.id)).toHaveLength(2);
  expect(study.training.epochs(run.id)).toHaveLength(1);
  const updated = study.training.update(run.id, {
    status: 'complete',
    stoppedEarly: true,
    modelId: base.id,
    sample: ' x',
  });
  expect(updated).toMatchObject({ status: 'complete', stoppedEarly: true, modelId: base.id, step: 0 });
  expect(study.training.sample(run.id)).toBe(' x');
  expect(() =>
    study.training.insert({
      name: 'X',
      baseModelId: base.id,
      datasetId: 9 as DatasetId,
      config: TRAINING_PRESETS.quick,
      warnings: [],
    }),
  ).toThrow(/FOREIGN KEY/);
});

describe('pairs', () => {
  const line = (id: string): PairLine => ({
    id,
    clean: { ids: [1, 2] },
    corrupted: 'b',
    answer: [[3]],
    wrong: [' no'],
    answer_mode: 'first',
    read: -1,
    type: 'causal',
    spans: { clean: { subject: [0, 1] }, corrupted: {} },
  });

  test('take the place of one as one edit, which undo takes back', () => {
    const study = tempStudy();
    const set = study.pairs.createSet('Set', [line('a'), line('b'), line('ax')]);
    const before = study.pairs.list(set.id);
    const made = study.pairs.replace(set.id, before[0]!.id, [line('ay'), line('ax')]);
    expect(study.pairs.list(set.id).map((p) => p.line.id)).toEqual(['ay', 'ax-2', 'b', 'ax']);
    expect(made.map((p) => p.line.id)).toEqual(['ay', 'ax-2']);
    expect(made[0]!.id).toBe(before[0]!.id);
    study.undo.undo();
    expect(study.pairs.list(set.id)).toEqual(before);
    const frozen = study.pairs.freeze(set.id);
    const [first] = study.pairs.list(frozen.id);
    expect(() => study.pairs.replace(frozen.id, first!.id, [line('z')])).toThrow(/frozen/);
  });

  test('come back as they were written, in their order', () => {
    const study = tempStudy();
    const set = study.pairs.createSet('Set', [line('a'), line('b')]);
    expect(set).toMatchObject({ name: 'Set', version: 1, frozen: false, count: 2 });
    const added = study.pairs.save(set.id, null, line('c'));
    expect(added.ordinal).toBe(2);
    expect(study.pairs.list(set.id).map((p) => p.line)).toEqual([line('a'), line('b'), line('c')]);
    study.pairs.remove([study.pairs.list(set.id)[0]!.id]);
    expect(study.pairs.list(set.id).map((p) => p.line.id)).toEqual(['b', 'c']);
    expect(() => study.pairs.save(set.id, null, line('c'))).toThrow(
      expect.objectContaining({ code: 'PAIR_ID_TAKEN' }),
    );
  });

  test('a frozen version cannot be edited; its copy, the next version, can', () => {
    const study = tempStudy();
    const set = study.pairs.createSet('Set', [line('a')]);
    const frozen = study.pairs.freeze(set.id);
    expect(frozen).toMatchObject({ id: set.id, frozen: true, version: 1 });
    expect(study.pairs.freeze(set.id)).toEqual(frozen);
    const refused = coded('PAIR_SET_FROZEN');
    expect(() => study.pairs.save(set.id, null, line('b'))).toThrow(refused);
    expect(() => study.pairs.remove(study.pairs.list(set.id).map((p) => p.id))).toThrow(refused);
    const next = study.pairs.findSet('Set')!;
    expect(next).toMatchObject({ version: 2, frozen: false, count: 1 });
    study.pairs.save(next.id, null, line('b'));
    expect(study.pairs.list(set.id)).toHaveLength(1);
    expect(study.pairs.count()).toBe(2);
  });
});
