import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { DatasetId, ModelId, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { buildTrainingData } from '../../jobs/training-data.ts';
import { trainJob } from '../../jobs/train.ts';
import type { ServiceContext } from '../context.ts';
import { requireTokenizer, type ModelShelf } from '../models/shelf.ts';
import { estimateTraining, type Machine } from './estimate.ts';

/** Implements `training`: estimate, start, curves, and ending early. */
export function createTrainingService(
  context: ServiceContext,
  shelf: ModelShelf,
  machine: () => Promise<Machine>,
): ServiceHandlers<typeof contract.training> {
  const { session, emit } = context;

  const estimate = async (
    modelId: ModelId,
    datasetId: DatasetId,
    config: TrainingConfig,
  ): Promise<TrainingEstimate> => {
    const { study } = session.require();
    const opened = await shelf.open(study, modelId);
    const { config: model } = opened.model;
    const data = await buildTrainingData(study, datasetId, requireTokenizer(opened), model, config);
    return estimateTraining(data, opened.model, config, await machine());
  };

  return {
    estimate: ({ modelId, datasetId, config }) => estimate(modelId, datasetId, config),
    start: async ({ modelId, datasetId, config, name }) => {
      const { study, queue } = session.require();
      const { nCtx } = study.models.get(modelId).config;
      const { fits, warnings, steps, offer } = await estimate(modelId, datasetId, config);
      if (!fits) {
        throw new UserInputError(
          'TRAIN_TOO_LARGE',
          'The run needs more memory than this machine may use.',
          offer === null
            ? 'Choose a smaller model, or raise the memory limit in the settings.'
            : `Sequences of ${offer.sequenceLength} tokens would fit; or raise the memory limit in the settings.`,
        );
      }
      const run = study.training.insert({
        name,
        baseModelId: modelId,
        datasetId,
        config: { ...config, sequenceLength: Math.min(config.sequenceLength, nCtx) },
        warnings,
      });
      const job = queue.start(trainJob, { runId: run.id });
      study.training.update(run.id, { jobId: job.id, totalSteps: steps });
      emit('changed', { what: 'training' });
      return { runId: run.id, jobId: job.id };
    },
    list: () => session.require().study.training.list(),
    get: ({ id }) => {
      const { training } = session.require().study;
      return {
        run: training.get(id),
        steps: training.steps(id),
        epochs: training.epochs(id),
        sample: training.sample(id),
      };
    },
    stopAndKeep: ({ id }) => {
      const { study, queue } = session.require();
      const { jobId } = study.training.get(id);
      if (jobId !== null) queue.finish(jobId);
      return {};
    },
  };
}
