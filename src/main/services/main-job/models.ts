import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ModelId, type Dataset, type Model, type TrainingRun } from '../../../shared/domain/index.ts';
import { evaluateModel } from '../../jobs/evaluation.ts';
import { buildTrainingData } from '../../jobs/training-data.ts';
import { openModelFolder } from '../../models/index.ts';
import { createModelInStudy } from '../models/service.ts';
import { createModelShelf, requireTokenizer } from '../models/shelf.ts';
import { tokenizerFolder } from '../models/tokenizers.ts';
import { finish, type MainJob } from './job.ts';
import { trainingConfig, type RunSpec } from './spec.ts';

const ImportedModel = z.object({ modelId: ModelId });

/** The model to start from: imported, or created with fresh weights. */
export async function baseModel(job: MainJob): Promise<Model> {
  const { model } = job.spec;
  return 'create' in model ? createdModel(job, model.create) : importedModel(job, model.folder, model.name);
}

type CreateSpec = Extract<RunSpec['model'], { create: unknown }>['create'];

async function createdModel(job: MainJob, { tokenizer, ...options }: CreateSpec): Promise<Model> {
  const { context, base } = job;
  const { study } = context.session.require();
  const sizes = ({ nLayer, nHead, dModel, nCtx }: Omit<CreateSpec, 'name' | 'seed' | 'tokenizer'>) => [
    nLayer,
    nHead,
    dModel,
    nCtx,
  ];
  const known = study.models
    .list()
    .find(
      (m) =>
        m.origin === 'created' &&
        m.name === options.name &&
        isDeepStrictEqual(sizes(m.config), sizes(options)),
    );
  if (known !== undefined) return known;
  const folder = tokenizerFolder(tokenizer, context, (path) => resolve(base, path));
  const model = await createModelInStudy(study, folder, options);
  context.emit('changed', { what: 'models' });
  return model;
}

async function importedModel(job: MainJob, path: string, name: string | undefined): Promise<Model> {
  const { base, client, context } = job;
  const { study } = context.session.require();
  const folder = resolve(base, path);
  const imported = study.models.list().filter((m) => m.origin === 'imported');
  if (imported.length > 0) {
    const hash = await (await openModelFolder(folder)).weightsHash();
    const known = imported.find((m) => m.weightsHash === hash);
    if (known !== undefined) return known;
  }
  const { handle } = context.files.register(folder);
  const { jobId } = await client.models.importFolder({ handle, name: name ?? null });
  const { modelId } = ImportedModel.parse((await finish(job, jobId)).result);
  return study.models.get(modelId);
}

export interface Trained {
  readonly run: TrainingRun;
  readonly model: Model;
}

/** Fine-tunes the base model; both models are evaluated when it ends. */
export async function fineTune(job: MainJob, model: Model, dataset: Dataset): Promise<Trained | null> {
  const { train } = job.spec;
  if (train === undefined) return null;
  const { study } = job.context.session.require();
  const config = trainingConfig(train);
  const stored = { ...config, sequenceLength: Math.min(config.sequenceLength, model.config.nCtx) };
  const known = study.training
    .list()
    .find(
      (r) =>
        r.baseModelId === model.id &&
        r.datasetId === dataset.id &&
        r.name === train.name &&
        isDeepStrictEqual(r.config, stored),
    );
  const start = { modelId: model.id, datasetId: dataset.id, config, name: train.name };
  const { runId, jobId } =
    known === undefined ? await job.client.training.start(start) : { runId: known.id, jobId: known.jobId };
  if (jobId !== null) await finish(job, jobId);
  const run = study.training.get(runId);
  return run.modelId === null ? null : { run, model: study.models.get(run.modelId) };
}

/** Without fine-tuning, the base model is evaluated on its own. */
export async function evaluateBase(job: MainJob, model: Model, dataset: Dataset): Promise<void> {
  const { study } = job.context.session.require();
  const opened = await createModelShelf().open(study, model.id);
  if (opened.tokenizer === null) return;
  const tokenizer = requireTokenizer(opened);
  const config = trainingConfig({ preset: 'quick', name: 'evaluation' });
  const data = await buildTrainingData(study, dataset.id, tokenizer, model.config, config);
  const evaluation = await evaluateModel({
    study,
    compute: job.context.compute,
    folder: opened.folder,
    config: model.config,
    tokenizer,
    datasetId: dataset.id,
    validation: data.validation.block,
    batchSize: config.evalBatchSize,
    samplePrompt: data.samplePrompt,
    sampleTokens: 24,
    signal: new AbortController().signal,
  });
  study.models.setEvaluation(model.id, evaluation);
}
