import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { jobStarted, none, ok } from './common.ts';

export const models = {
  list: method(none, z.array(d.Model)),
  checkFolder: method(
    z.object({ handle: z.string() }),
    z.object({ ok: z.boolean(), name: z.string(), checks: z.array(d.ModelFolderCheck) }),
  ),
  importFolder: method(z.object({ handle: z.string(), name: z.string().nullable() }), jobStarted),
  /** The hub in use: the setting, or what the environment names instead. */
  hub: method(none, z.object({ url: z.string() })),
  /** Asks the hub which files a model needs, with sizes and checksums. This goes out to the hub. */
  hubFiles: method(z.object({ name: z.string().trim().min(1).max(200) }), d.HubListing),
  /** Starts the download of what `hubFiles` listed, and the import after it. */
  get: method(z.object({ manifest: d.HubManifest, name: z.string().trim().min(1).max(80) }), jobStarted),
  create: method(d.CreateModelOptions, d.Model),
  rename: method(z.object({ id: d.ModelId, name: z.string().trim().min(1).max(80) }), d.Model),
  remove: method(z.object({ id: d.ModelId }), ok),
  generate: method(
    z.object({ id: d.ModelId, prompt: z.string(), tokens: z.number().int().min(1).max(200) }),
    z.object({ text: z.string(), milliseconds: z.number() }),
  ),
};

export const training = {
  estimate: method(
    z.object({ modelId: d.ModelId, datasetId: d.DatasetId, config: d.TrainingConfig }),
    d.TrainingEstimate,
  ),
  start: method(
    z.object({
      modelId: d.ModelId,
      datasetId: d.DatasetId,
      config: d.TrainingConfig,
      name: z.string().trim().min(1).max(80),
    }),
    z.object({ runId: d.TrainingRunId, jobId: d.JobId }),
  ),
  list: method(none, z.array(d.TrainingRun)),
  get: method(
    z.object({ id: d.TrainingRunId }),
    z.object({
      run: d.TrainingRun,
      steps: z.array(d.StepPoint),
      epochs: z.array(d.EpochPoint),
      sample: z.string().nullable(),
      /** Bytes moved in and out of runs for a step, lately; null where no step has been taken. */
      bytesPerStep: z.number().nullable(),
    }),
  ),
  /** Ends the run after the current step and keeps the best checkpoint. */
  stopAndKeep: method(z.object({ id: d.TrainingRunId }), ok),
};
