import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { EngramClient, FigureRequest } from '../../../shared/contracts/index.ts';
import { invariant, UserInputError } from '../../../shared/errors/index.ts';
import {
  ModelId,
  type Dataset,
  type Direction,
  type HookGrid,
  type JobId,
  type Model,
  type PairLine,
  type PairSet,
  type RecordId,
  type SweepId,
  type TrainingRun,
} from '../../../shared/domain/index.ts';
import { importJob } from '../../jobs/import.ts';
import { evaluateModel } from '../../jobs/evaluation.ts';
import { buildTrainingData } from '../../jobs/training-data.ts';
import type { ServiceContext } from '../context.ts';
import type { HostFileBroker } from '../files/broker.ts';
import { createModelInStudy } from '../models/service.ts';
import { tokenizerFolder } from '../models/tokenizers.ts';
import { createModelShelf, requireTokenizer } from '../models/shelf.ts';
import { parsePairsStrictly } from '../pairs/parse.ts';
import { gridsFor, parseHooks } from '../sweeps/positions.ts';
import { trainingConfig, type RunSpec } from './spec.ts';

/** What the steps of a main job work with: the contract's client, and the context beneath it. */
export interface MainJob {
  readonly spec: RunSpec;
  /** Folder that relative paths of the specification start from. */
  readonly base: string;
  readonly client: EngramClient;
  readonly context: ServiceContext;
  readonly files: HostFileBroker;
  /** The bundled sample: its sources are marked as such. */
  readonly sample: boolean;
}

function wait(job: MainJob, id: JobId): Promise<{ readonly result: unknown }> {
  return job.context.session.require().queue.wait(id);
}

/** Imports every file; a fault keeps what was committed and ends the main job. */
export async function importFiles(
  job: MainJob,
): Promise<{ added: number; duplicates: number; rejected: number }> {
  const { queue, study } = job.context.session.require();
  const files = job.spec.import.map((name) => ({ path: resolve(job.base, name), name: basename(name) }));
  const { id } = queue.start(importJob, { files, sample: job.sample, columns: job.spec.columns });
  await wait(job, id);
  const sources = study.sources.list();
  const sum = (key: 'added' | 'duplicates' | 'rejected'): number =>
    sources.reduce((total, source) => total + source[key], 0);
  return { added: sum('added'), duplicates: sum('duplicates'), rejected: sum('rejected') };
}

const PAGE = 500;

/** Sets the terms, excludes what the specification's searches find, and freezes the dataset. */
export async function curate({ spec, client }: MainJob): Promise<Dataset> {
  if (spec.terms !== undefined) await client.curate.setTerms({ terms: spec.terms });
  for (const { query, reason } of spec.exclude) {
    const ids: RecordId[] = [];
    for (let offset = 0; ; offset += PAGE) {
      const { rows } = await client.curate.records({ filter: { query }, offset, limit: PAGE });
      ids.push(...rows.map((row) => row.id));
      if (rows.length < PAGE) break;
    }
    if (ids.length > 0) await client.curate.decide({ ids, decision: 'exclude', reason });
  }
  await includeTheRest(client);
  return client.curate.freeze(spec.dataset);
}

/** What nobody excluded is included, so that the flow of records says so. */
async function includeTheRest(client: EngramClient): Promise<void> {
  for (;;) {
    const filter = { decisions: ['undecided' as const] };
    const { rows } = await client.curate.records({ filter, offset: 0, limit: PAGE });
    if (rows.length === 0) return;
    await client.curate.decide({ ids: rows.map((row) => row.id), decision: 'include', reason: null });
  }
}

/** The model to start from: imported, or created with fresh weights. */
export async function baseModel(job: MainJob): Promise<Model> {
  const { spec, base, client, context } = job;
  const { study } = context.session.require();
  if ('create' in spec.model) {
    const { tokenizer, ...options } = spec.model.create;
    const folder = tokenizerFolder(tokenizer, context, (path) => resolve(base, path));
    const model = await createModelInStudy(study, folder, options);
    context.emit('changed', { what: 'models' });
    return model;
  }
  const { handle } = context.files.register(resolve(base, spec.model.folder));
  const { jobId } = await client.models.importFolder({ handle, name: spec.model.name ?? null });
  const { modelId } = ImportedModel.parse((await wait(job, jobId)).result);
  return study.models.get(modelId);
}

const ImportedModel = z.object({ modelId: ModelId });

/** Pairs of a file or of the specification itself, as a set. */
export function pairSet({ spec, base, context }: MainJob): PairSet | null {
  const { pairs } = spec;
  if (pairs === undefined) return null;
  const { study } = context.session.require();
  const set =
    typeof pairs === 'string'
      ? study.pairs.createSet(basename(pairs, '.jsonl'), readPairs(resolve(base, pairs)))
      : study.pairs.createSet(`${spec.name} pairs`, pairs);
  context.emit('changed', { what: 'pairs' });
  return set;
}

function readPairs(path: string): readonly PairLine[] {
  if (!existsSync(path)) {
    throw new UserInputError(
      'FILE_UNREADABLE',
      `${path} cannot be read.`,
      'Correct "pairs" in the specification.',
    );
  }
  return parsePairsStrictly(readFileSync(path, 'utf8'), basename(path));
}

export interface Trained {
  readonly run: TrainingRun;
  readonly model: Model;
}

/** Fine-tunes the base model; both models are evaluated when it ends. */
export async function fineTune(job: MainJob, model: Model, dataset: Dataset): Promise<Trained | null> {
  const { train } = job.spec;
  if (train === undefined) return null;
  const { client } = job;
  const config = trainingConfig(train);
  const { runId, jobId } = await client.training.start({
    modelId: model.id,
    datasetId: dataset.id,
    config,
    name: train.name,
  });
  await wait(job, jobId);
  const { run } = await client.training.get({ id: runId });
  const { study } = job.context.session.require();
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

/** Sweeps one model over the pairs in one direction. */
export async function sweepModel(
  job: MainJob,
  model: Model,
  set: PairSet,
  direction: Direction,
): Promise<SweepId> {
  const { hooks, positions, metrics, epsilon, bos, seed } = job.spec.sweep;
  const { grids } = gridsFor(parseHooks(hooks.join(',')), positions, []);
  const { sweepId, jobId } = await job.client.sweeps.start({
    name: `${model.name}, ${direction}`,
    spec: {
      modelId: model.id,
      pairSetId: set.id,
      grids: [...grids],
      direction,
      method: 'exact',
      corruption: 'str',
      metrics,
      epsilon,
      bos,
      seed,
    },
  });
  await wait(job, jobId);
  return sweepId;
}

/** Writes the report beside the study. */
export async function writeReport(
  job: MainJob,
  folder: string,
): Promise<{ path: string; warnings: string[] }> {
  const { client, spec } = job;
  const report = await client.report.get({});
  await client.report.save({
    ...report,
    title: spec.report.title ?? report.title,
    author: spec.report.author,
  });
  const { html, warnings } = await client.report.preview({});
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'report.html');
  await writeFileAtomic(path, html);
  return { path, warnings };
}

/** Writes the figures of the main job as SVG and PNG with their numbers as CSV; the paths. */
export async function writeFigures(
  job: MainJob,
  folder: string,
  sweeps: readonly SweepId[],
): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const paths: string[] = [];
  for (const figure of await figureRequests(job, sweeps)) {
    for (const format of ['svg', 'png', 'csv'] as const) {
      const { url, name } = await job.client.report.figure({ figure, options: { format } });
      const offer = job.files.offered(url.slice(url.lastIndexOf('/') + 1));
      invariant(offer !== undefined && 'bytes' in offer.content, `the figure ${name} was not kept`);
      const path = join(folder, name.replaceAll(' ', '-'));
      await writeFileAtomic(path, Buffer.from(offer.content.bytes));
      paths.push(path);
    }
  }
  return paths;
}

/** One figure per result; grids without a value (a gap near zero) are left to the report's words. */
async function figureRequests(
  { context, client, spec }: MainJob,
  sweeps: readonly SweepId[],
): Promise<FigureRequest[]> {
  const { study } = context.session.require();
  const metric = spec.sweep.metrics[0] ?? 'logit_diff';
  const [first] = sweeps;
  const grids = first === undefined ? [] : study.sweeps.get(first).spec.grids;
  const hasValues = async (id: SweepId, grid: HookGrid): Promise<boolean> =>
    (await client.sweeps.grid({ id, ...grid, metric })).recovery.some((value) => value !== null);
  const requests: FigureRequest[] = [
    { kind: 'flow' },
    ...study.training.list().map((run) => ({ kind: 'training' as const, id: run.id })),
  ];
  for (const grid of grids) {
    for (const id of sweeps) {
      if (await hasValues(id, grid)) requests.push({ kind: 'sweep', id, ...grid, metric });
    }
    for (const { a, b } of study.comparisons.list()) {
      if ((await hasValues(a, grid)) && (await hasValues(b, grid)))
        requests.push({ kind: 'comparison', a, b, ...grid, metric });
    }
  }
  return requests;
}
