import { z } from 'zod';
import { DatasetId, EpochPoint, Job, PairSetId, StepPoint, SweepId, TrainingRunId } from '../domain/index.ts';
import type { Client, Handlers } from './define.ts';
import { compare } from './compare.ts';
import { models, training } from './models.ts';
import { pairs } from './pairs.ts';
import { pubmed } from './pubmed.ts';
import { curate, library } from './records.ts';
import { jobs, report } from './report.ts';
import { results } from './results.ts';
import { app, files, studies } from './studies.ts';
import { readings } from './sweep-readings.ts';
import { sweeps } from './sweeps.ts';

export * from './bridge.ts';
export * from './define.ts';
export { AttentionOutcomeView, LayerTest, PositionRatios } from './sweep-readings.ts';
export { Download, FileHandle } from './common.ts';
export { ComparisonView, DetectionTable, MetricScatter, SeveralView, TypeComparison } from './compare.ts';
export { RecordFilter } from './records.ts';
export { FigureRequest } from './report.ts';
export { StudyCounts, StudyInfo } from './studies.ts';
export { WindowStudy } from './sweeps.ts';

/** Everything the renderer can ask of the services. */
export const contract = {
  app,
  files,
  studies,
  library,
  pubmed,
  curate,
  models,
  training,
  pairs,
  sweeps,
  readings,
  compare,
  results,
  report,
  jobs,
};
export type EngramContract = typeof contract;
export type EngramClient = Client<EngramContract>;
export type EngramHandlers = Handlers<EngramContract>;

/** Everything the services tell the renderer without being asked. */
export const events = {
  job: Job,
  /** Something in the study changed: reload what shows it. */
  changed: z.object({
    what: z.enum([
      'study',
      'sources',
      'records',
      'datasets',
      'models',
      'training',
      'pairs',
      'sweeps',
      'comparisons',
      'results',
      'report',
      'settings',
      'history',
    ]),
    datasetId: DatasetId.optional(),
    pairSetId: PairSetId.optional(),
  }),
  /** `bytesPerStep`: moved in and out of runs for each of these steps, on average. */
  trainingStep: z.object({ runId: TrainingRunId, steps: z.array(StepPoint), bytesPerStep: z.number() }),
  trainingEpoch: z.object({ runId: TrainingRunId, point: EpochPoint, sample: z.string().nullable() }),
  /** A block of effects was stored: the heatmap may ask for its grid again. */
  sweepProgress: z.object({ sweepId: SweepId, done: z.number().int(), total: z.number().int() }),
};
export type EngramEvents = { [K in keyof typeof events]: z.infer<(typeof events)[K]> };
export type EventName = keyof EngramEvents;

/** Requests and answers on any transport (WebSocket as JSON, MessagePort as structured clone). */
export const WireRequest = z.object({
  id: z.number().int(),
  service: z.string(),
  method: z.string(),
  input: z.unknown(),
});
export type WireRequest = z.infer<typeof WireRequest>;

const WireError = z.object({
  kind: z.enum(['user', 'format', 'engine', 'store', 'cancelled', 'invariant']),
  code: z.string(),
  message: z.string(),
  next: z.string(),
});
export const WireMessage = z.union([
  z.object({ id: z.number().int(), ok: z.literal(true), output: z.unknown() }),
  z.object({ id: z.number().int(), ok: z.literal(false), error: WireError }),
  z.object({ event: z.string(), payload: z.unknown() }),
]);
export type WireMessage = z.infer<typeof WireMessage>;
