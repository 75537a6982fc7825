import { forcedDevice } from '../training/device.ts';
import { runTraining } from '../training/run.ts';
import type { Handler } from './handler.ts';

/** Fine-tunes a model; see `runTraining`. */
export const train: Handler<'train'> = (request, { context, emit, checkpoint }) =>
  runTraining(request, {
    sessions: context.sessions,
    memoryLimitBytes: context.settings.memoryLimitBytes,
    emit,
    checkpoint,
    ...forcedDevice(process.env['ENGRAM_TRAINING_PASS']),
  });
