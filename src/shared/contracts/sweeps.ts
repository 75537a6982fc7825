import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { Download, none, ok, Share } from './common.ts';

/** A prompt of a sweep: one side of a pair that it was given. */
const SweepPrompt = z.object({
  id: d.SweepId,
  /** Id of the pair. */
  pair: z.string(),
  side: z.enum(['clean', 'corrupted']),
});

export const WindowStudy = d.SweepHookGrid.extend({
  metric: d.MetricName,
  window: z.number().int(),
  layers: z.number().int(),
  columns: z.number().int(),
  /** Sum of the single-layer effects over each window, row-major as the grid. */
  sums: z.array(Share),
  /** Per column: strongest window, strongest sum, and their ratio (null without a positive sum). */
  peaks: z.array(
    z.object({
      column: z.number().int(),
      label: z.string(),
      peakWindow: Share,
      peakSum: Share,
      ratio: Share,
    }),
  ),
});
export type WindowStudy = z.infer<typeof WindowStudy>;

export const sweeps = {
  list: method(none, z.array(d.Sweep)),
  plan: method(d.SweepSpec, d.SweepPlan),
  start: method(
    z.object({ spec: d.SweepSpec, name: z.string().trim().min(1).max(120) }),
    z.object({ sweepId: d.SweepId, jobId: d.JobId }),
  ),
  get: method(z.object({ id: d.SweepId }), d.Sweep),
  grid: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), d.SweepGrid),
  site: method(
    z.object({
      id: d.SweepId,
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
      layer: z.number().int(),
      column: z.number().int(),
    }),
    d.SiteDetail,
  ),
  /** A window grid beside the sums of single layers; the sweep must hold both grids. */
  windows: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), WindowStudy),
  /** How one head attends in one prompt of the sweep. */
  attention: method(SweepPrompt.extend({ layer: z.number().int(), head: z.number().int() }), d.AttentionView),
  /** What the residual stream of one prompt says at a position, layer by layer. */
  lens: method(
    /** Null = the position at which the metric is read. */
    SweepPrompt.extend({ position: z.number().int().nullable() }),
    d.LensView,
  ),
  /** One site of an estimated sweep patched exactly for every pair. */
  verifySite: method(
    z.object({
      id: d.SweepId,
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
      layer: z.number().int(),
      column: z.number().int(),
    }),
    d.SiteVerification,
  ),
  rename: method(z.object({ id: d.SweepId, name: z.string().trim().min(1).max(120) }), d.Sweep),
  remove: method(z.object({ id: d.SweepId }), ok),
  table: method(z.object({ id: d.SweepId, format: z.enum(['jsonl', 'csv']) }), Download),
};
