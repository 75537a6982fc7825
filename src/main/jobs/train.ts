import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { TrainingRunId, type Model, type TrainingRun } from '../../shared/domain/index.ts';
import { CancelledError, EngineError, UserInputError } from '../../shared/errors/index.ts';
import {
  copyModelFolder,
  openModelFolder,
  openTokenizer,
  TOKENIZER_FILES,
  type TextTokenizer,
} from '../models/index.ts';
import type { TrainEvent } from '../runtime/api.ts';
import { defineJob, type JobContext } from './definition.ts';
import { evaluateModel } from './evaluation.ts';
import { provenanceOf } from './provenance.ts';
import { runStreaming } from './streaming.ts';
import { buildTrainingData, type TrainingData } from './training-data.ts';
import { recordComputed, recordMoved } from './training-record.ts';

const SAMPLE_TOKENS = 40;
const TrainParams = z.object({ runId: TrainingRunId });
type TrainContext = JobContext<z.infer<typeof TrainParams>>;

/** Where the best checkpoint lies, and how the run ended. */
interface Kept {
  readonly folder: string;
  readonly epoch: number;
  readonly validationLoss: number;
  readonly stoppedEarly: boolean;
}

/** Best checkpoint so far, remembered in the study so that a resumed run can still be ended and kept. */
const Remembered = z.object({ folder: z.string(), epoch: z.number(), validationLoss: z.number() });

/** Fine-tunes a model, stores its curves as they come, keeps the best checkpoint as a model and evaluates both. */
export const trainJob = defineJob({
  kind: 'train',
  params: TrainParams,
  heavy: true,
  title: ({ runId }) => `Fine-tuning run ${runId}`,
  onStatus: (status, { runId }, study) => {
    study.training.update(runId, { status });
  },
  run: async (context) => {
    const { params, study, compute, progress, emit } = context;
    const run = study.training.get(params.runId);
    const base = study.models.get(run.baseModelId);
    const baseFolder = study.artifacts.path(study.models.artifactOf(base.id));
    const tokenizer = await openTokenizer(baseFolder);
    if (tokenizer === null) {
      throw new UserInputError(
        'MODEL_NO_TOKENIZER',
        `The model ${base.name} has no tokenizer, so it cannot be trained on text.`,
        'Import it again with tokenizer.json in its folder.',
      );
    }
    progress(run.step, run.totalSteps || null, 'steps', 'tokenising');
    const data = await buildTrainingData(
      study,
      run.datasetId,
      tokenizer,
      base.config,
      run.config,
      context.signal,
    );
    const kept = await trainOrContinue(context, run, baseFolder, tokenizer, data);
    const model = await keepModel(context, run, base, baseFolder, kept);
    progress(run.totalSteps, run.totalSteps || null, 'steps', 'evaluating');
    const evaluate = (folder: string): ReturnType<typeof evaluateModel> =>
      evaluateModel({
        study,
        compute,
        folder,
        config: base.config,
        tokenizer,
        datasetId: run.datasetId,
        validation: data.validation.block,
        batchSize: run.config.evalBatchSize,
        samplePrompt: data.samplePrompt,
        sampleTokens: SAMPLE_TOKENS,
        signal: context.signal,
      });
    study.models.setEvaluation(base.id, await evaluate(baseFolder));
    study.models.setEvaluation(
      model.id,
      await evaluate(study.artifacts.path(study.models.artifactOf(model.id))),
    );
    study.dropWorkFolder(workName(run));
    emit('changed', { what: 'models' });
    emit('changed', { what: 'training' });
    return {
      summary: `Validation loss ${kept.validationLoss.toFixed(3)} at epoch ${kept.epoch}`,
      result: { runId: run.id, modelId: model.id },
    };
  },
});

function workName(run: TrainingRun): string {
  return `train-${run.id}`;
}

/** Trains to the end, to early stopping, or until the user asks to stop and keep. */
async function trainOrContinue(
  context: TrainContext,
  run: TrainingRun,
  baseFolder: string,
  tokenizer: TextTokenizer,
  data: TrainingData,
): Promise<Kept> {
  const { study, compute, signal, finish, log } = context;
  const key = `${workName(run)}-best`;
  try {
    const done = await runStreaming<TrainEvent, Awaited<ReturnType<typeof compute.train>>>(
      AbortSignal.any([signal, finish]),
      (options) =>
        compute.train(
          {
            folder: baseFolder,
            workFolder: study.workFolder(workName(run)),
            train: data.train.block,
            validation: data.validation.block,
            config: run.config,
            eosTokenId: data.eosTokenId,
            resume: context.resumed,
            samplePrompt: data.samplePrompt,
            sampleTokens: SAMPLE_TOKENS,
          },
          options,
        ),
      (event) => {
        store(context, run, tokenizer, key, event);
      },
    );
    study.training.update(run.id, { totalSteps: done.totalSteps, step: done.steps });
    log(recordComputed(study, run, done));
    return {
      folder: done.bestFolder,
      epoch: done.bestEpoch,
      validationLoss: done.bestValidationLoss,
      stoppedEarly: done.stoppedEarly,
    };
  } catch (error) {
    if (!finish.aborted || signal.aborted || !(error instanceof CancelledError)) throw error;
    const best = study.settings.get(key, Remembered);
    if (best !== undefined) return { ...best, stoppedEarly: true };
    throw new EngineError(
      'TRAIN_NOTHING_KEPT',
      'The run was ended before its first epoch, so there is no checkpoint to keep.',
      'Start it again and let at least one epoch finish.',
      error,
    );
  }
}

type Handlers = { readonly [T in TrainEvent['type']]: (event: Extract<TrainEvent, { type: T }>) => void };

function store(
  { study, emit, progress, log }: TrainContext,
  run: TrainingRun,
  tokenizer: TextTokenizer,
  bestKey: string,
  event: TrainEvent,
): void {
  const handlers: Handlers = {
    resumed: ({ step, epoch, epochs, steps, best }) => {
      study.training.truncateAfter(run.id, step);
      study.training.addSteps(run.id, steps);
      for (const point of epochs) study.training.addEpoch(run.id, point);
      if (best !== null) study.settings.set(bestKey, best);
      study.training.update(run.id, {
        step,
        ...(best === null ? {} : { bestEpoch: best.epoch, bestValidationLoss: best.validationLoss }),
      });
      log(`Continued from the checkpoint of epoch ${epoch}, step ${step}.`);
    },
    steps: ({ steps, totalSteps, bytesPerStep }) => {
      const last = steps.at(-1);
      if (last === undefined) return;
      study.training.addSteps(run.id, steps);
      study.training.update(run.id, { step: last.step, totalSteps });
      recordMoved(study, run.id, bytesPerStep);
      progress(last.step, totalSteps, 'steps', `loss ${last.loss.toFixed(3)}`);
      emit('trainingStep', { runId: run.id, steps: [...steps], bytesPerStep });
    },
    epoch: ({ point, checkpoint, sample }) => {
      const text = sample === null ? null : tokenizer.decodeInside(sample);
      study.training.addEpoch(run.id, point);
      study.training.update(run.id, {
        sample: text,
        ...(point.best ? { bestEpoch: point.epoch, bestValidationLoss: point.validationLoss } : {}),
      });
      if (point.best) {
        const best = { folder: checkpoint, epoch: point.epoch, validationLoss: point.validationLoss };
        study.settings.set(bestKey, best);
      }
      log(`Epoch ${point.epoch}: validation loss ${point.validationLoss.toFixed(4)}`);
      emit('trainingEpoch', { runId: run.id, point, sample: text });
    },
  };
  (handlers[event.type] as (event: TrainEvent) => void)(event); // the table is keyed by the event's type
}

/** Takes the checkpoint, with its parent's tokenizer, into the study as a model. */
async function keepModel(
  { study, compute }: TrainContext,
  run: TrainingRun,
  base: Model,
  baseFolder: string,
  kept: Kept,
): Promise<Model> {
  const earlier = study.training.get(run.id).modelId;
  if (earlier !== null) return study.models.get(earlier);
  const staged = study.artifacts.stage();
  await copyModelFolder(kept.folder, staged);
  for (const file of TOKENIZER_FILES) {
    if (existsSync(join(baseFolder, file))) await cp(join(baseFolder, file), join(staged, file));
  }
  const weightsHash = await (await openModelFolder(staged)).weightsHash();
  const inputs = {
    weightsHash: base.weightsHash,
    dataset: study.datasets.get(run.datasetId).hash,
    config: run.config,
  };
  const provenance = await provenanceOf(compute, inputs, run.config.seed);
  return study.artifacts.putFolder(staged, run.name, (artifact) => {
    const model = study.models.insert({
      name: run.name,
      origin: 'fine-tuned',
      parentId: base.id,
      trainingRunId: run.id,
      config: base.config,
      parameters: base.parameters,
      bytes: artifact.bytes,
      tokenizer: base.tokenizer,
      weightsHash,
      evaluation: null,
      artifactHash: artifact.hash,
    });
    study.training.update(run.id, {
      modelId: model.id,
      bestEpoch: kept.epoch,
      bestValidationLoss: kept.validationLoss,
      stoppedEarly: kept.stoppedEarly,
      provenance,
    });
    return model;
  });
}
