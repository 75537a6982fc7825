import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { Download, none, ok } from './common.ts';

export const FigureRequest = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('sweep'),
    id: d.SweepId,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('external'),
    id: d.ExternalResultId,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('comparison'),
    a: d.AnyResult,
    b: d.AnyResult,
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('layers'),
    ids: z.array(d.AnyResult).min(1),
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
    /** Position or head whose layers are drawn; the first where absent. */
    column: z.number().int().nonnegative().optional(),
  }),
  z.object({
    kind: z.literal('several'),
    refs: z.array(d.AnyResult).min(1).max(24),
    ...d.SweepHookGrid.shape,
    metric: d.MetricName,
  }),
  z.object({
    kind: z.literal('metrics'),
    id: d.SweepId,
    ...d.SweepHookGrid.shape,
    x: d.MetricName,
    y: d.MetricName,
  }),
  z.object({ kind: z.literal('types'), id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }),
  z.object({ kind: z.literal('training'), id: d.TrainingRunId }),
  z.object({ kind: z.literal('flow') }),
]);
export type FigureRequest = z.infer<typeof FigureRequest>;

export const report = {
  get: method(none, d.Report),
  save: method(d.Report, d.Report),
  /** Self-contained HTML for the live preview, and the warnings it carries. */
  preview: method(none, z.object({ html: z.string(), warnings: z.array(z.string()) })),
  export: method(z.object({ format: z.enum(['html']) }), Download),
  /** The tables of a view as one CSV, one below the other. */
  viewTable: method(z.object({ view: d.ResultViewRequest }), Download),
  /** What a view shows: its notes, and its tables as they are written. */
  view: method(
    z.object({ view: d.ResultViewRequest }),
    z.object({ title: z.string(), notes: z.array(z.string()), tables: z.array(d.ResultTable) }),
  ),
  figure: method(z.object({ figure: FigureRequest, options: d.FigureOptions }), Download),
  /** The methods sentence of one sweep, from its record. */
  methods: method(z.object({ id: d.SweepId }), z.object({ text: z.string() })),
};

export const jobs = {
  list: method(none, z.array(d.Job)),
  pause: method(z.object({ id: d.JobId }), ok),
  resume: method(z.object({ id: d.JobId }), ok),
  stop: method(z.object({ id: d.JobId }), ok),
  log: method(z.object({ id: d.JobId }), z.array(z.object({ at: d.Timestamp, line: z.string() }))),
};
