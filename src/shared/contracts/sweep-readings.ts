import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';

const Value = z.number().nullable();

/** Whether the layers of one grid differ, over clusters of pairs (METHODS section 2). */
export const LayerTest = z.object({
  /** Friedman over layers, blocked by cluster, with Kendall's W; null where it is refused. */
  test: z
    .object({
      statistic: z.number(),
      degrees: z.number().int(),
      p: z.number(),
      w: z.number(),
      clusters: z.number().int(),
      method: z.enum(['chi-square', 'permutation']),
    })
    .nullable(),
  /** Columns (positions, heads …) whose effects are averaged within a layer: those measured in each of them. */
  columns: z.array(z.string()),
  /** Mean effect of each tested layer in the metric's unit, with its 95 % interval over clusters. */
  layers: z.array(
    z.object({ layer: z.number().int(), effect: z.number(), low: Value, high: Value, effectSize: Value }),
  ),
  /** Layers without a measured site of their own in these columns. */
  leftOut: z.array(z.number().int()),
  /** Every two layers, by sign-flip test of their difference, Holm-adjusted; the smallest p first. */
  pairs: z.array(
    z.object({
      a: z.number().int(),
      b: z.number().int(),
      difference: z.number(),
      effectSize: Value,
      p: Value,
      pHolm: Value,
    }),
  ),
  /** Why there is no test. */
  refusal: z.string().nullable(),
  /** Why the layers are not compared two by two, or have no intervals. */
  caveats: z.array(z.string()),
});
export type LayerTest = z.infer<typeof LayerTest>;

/** A ratio of effects at two places of a span, summed over layers (Zhang & Nanda 2024, section 4.1). */
const PositionRatio = z.object({
  id: z.string(),
  value: Value,
  low: Value,
  high: Value,
  /** Mean over pairs of the sum over layers, in the metric's unit. */
  numerator: Value,
  denominator: Value,
  pairs: z.number().int(),
  clusters: z.number().int(),
  /** Why there is no ratio or no interval; null where both are given. */
  reason: z.string().nullable(),
});

export const PositionRatios = z.object({
  /** Named spans with several tokens, one of which was taken. */
  spans: z.array(z.string()),
  span: z.string().nullable(),
  /** What is divided by what. */
  ratios: z.array(z.object({ id: z.string(), name: z.string(), meaning: z.string() })),
  /** One row for each corruption and metric: of this sweep, and of the study's others that differ in these alone. */
  rows: z.array(
    z.object({
      sweepId: d.SweepId,
      label: z.string(),
      corruption: z.string(),
      metric: d.MetricName,
      ratios: z.array(PositionRatio),
    }),
  ),
  /** Pairs without tokens at one of the places. */
  leftOut: z.number().int(),
  refusal: z.string().nullable(),
});
export type PositionRatios = z.infer<typeof PositionRatios>;

/** Attention of watched heads before and after a joint patch. */
export const AttentionOutcomeView = z.object({
  pairs: z.number().int(),
  clusters: z.number().int(),
  direction: d.Direction,
  milliseconds: z.number(),
  rows: z.array(
    z.object({
      layer: z.number().int(),
      head: z.number().int(),
      from: z.string(),
      to: z.string(),
      /** Means over pairs. */
      clean: z.number(),
      corrupted: z.number(),
      patched: z.number(),
      /** Patched − the run that was patched into, with its 95 % interval over clusters. */
      change: z.number(),
      low: Value,
      high: Value,
      effectSize: Value,
      p: Value,
      pHolm: Value,
      /** Share of the way to the run that was patched from; null where the two hardly differ. */
      restored: Value,
    }),
  ),
  metrics: z.array(
    z.object({
      metric: d.MetricName,
      clean: Value,
      corrupted: Value,
      patched: Value,
      low: Value,
      high: Value,
      recovery: Value,
    }),
  ),
  caveats: z.array(z.string()),
});
export type AttentionOutcomeView = z.infer<typeof AttentionOutcomeView>;

/** What can be read off a sweep beyond its heatmap. */
export const readings = {
  /** At one column, or over all columns that every layer has. */
  layers: method(
    z.object({
      id: d.SweepId,
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
      column: z.number().int().nonnegative().optional(),
    }),
    LayerTest,
  ),
  /** Over a named span; the first with several tokens where none is named. */
  ratios: method(
    z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, span: z.string().min(1).optional() }),
    PositionRatios,
  ),
  /** Patches sites of the sweep's pairs together, as the sweep does, and reads the attention of other heads. */
  attention: method(
    z.object({
      id: d.SweepId,
      sites: z.array(d.SiteSpec).min(1).max(200),
      watch: z.array(d.HeadRef).min(1).max(40),
      looks: z.array(d.AttentionLook).min(1).max(20),
    }),
    AttentionOutcomeView,
  ),
};
