import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { DatasetId, ModelId, TrainingConfig, TrainingEstimate } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { buildTrainingData } from '../../jobs/training-data.ts';
import { trainJob } from '../../jobs/train.ts';
import { bytesMoved } from '../../jobs/training-record.ts';
import type { ServiceContext } from '../context.ts';
import { requireTokenizer, type ModelShelf } from '../models/shelf.ts';
import { estimateTraining } from './estimate.ts';
import type { Machine } from './machine.ts';

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GB`;

/** What would fit, in words: settings by their names in a configuration. */
function nextStep(offers: TrainingEstimate['offers']): string {
  const fitting = offers.map(({ change }) =>
    Object.entries(change)
      .map(([key, value]) => `${key} ${value}`)
      .join(', '),
  );
  if (fitting.length === 0) return 'Choose a smaller model, or raise the memory limit in the settings.';
  return `This would fit: ${fitting.join('; or ')}. Or raise the memory limit in the settings.`;
}

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
      const { fits, warnings, steps, offers, memoryBytes, limitBytes } = await estimate(
        modelId,
        datasetId,
        config,
      );
      if (!fits) {
        throw new UserInputError(
          'TRAIN_TOO_LARGE',
          `The run needs ${gigabytes(memoryBytes)} of memory and may use ${gigabytes(limitBytes)}.`,
          nextStep(offers),
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
      const { study } = session.require();
      const { training } = study;
      return {
        run: training.get(id),
        steps: training.steps(id),
        epochs: training.epochs(id),
        sample: training.sample(id),
        bytesPerStep: bytesMoved(study, id),
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
