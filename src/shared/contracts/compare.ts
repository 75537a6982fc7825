import { z } from 'zod';
import * as d from '../domain/index.ts';
import { method } from './define.ts';
import { none, Share } from './common.ts';

/** One side of a comparison. */
const Side = z.object({
  ref: d.ResultRef,
  label: z.string(),
  /** Where external numbers come from; null for a sweep of the study. */
  external: z.string().nullable(),
});

export const ComparisonView = z.object({
  sides: z.tuple([Side, Side]),
  a: d.EffectGrid,
  b: d.EffectGrid,
  /** b − a, where both exist. */
  difference: z.array(z.number().nullable()),
  spearman: z.number().nullable(),
  pearson: z.number().nullable(),
  n: z.number().int(),
  /** How many of the k strongest sites of A are among the k strongest of B, over sites open in both. */
  overlap: z.object({ k: z.number().int(), shared: z.number().int() }).nullable(),
  detected: z.array(
    z.object({
      layer: z.number().int(),
      column: z.number().int(),
      site: z.string(),
      a: z.number().nullable(),
      b: z.number().nullable(),
      where: z.enum(['both', 'a', 'b']),
    }),
  ),
  settings: z.array(z.object({ name: z.string(), a: z.string(), b: z.string() })),
  /** The settings that are equal, with their value. */
  sharedSettings: z.array(z.object({ name: z.string(), value: z.string() })),
  /** Localisation of each grid: top-5 share, Gini, participation ratio, with 95 % cluster-bootstrap intervals. */
  localisation: z.array(
    z.object({
      label: z.string(),
      clusters: z.number().int(),
      topShare: z.object({
        k: z.number().int(),
        value: z.number().nullable(),
        low: z.number().nullable(),
        high: z.number().nullable(),
      }),
      gini: z.number().nullable(),
      participation: z.number().nullable(),
    }),
  ),
  /** B − A in the top share with its paired 95 % interval; null where the grids cannot be paired. */
  localisationDifference: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
  notes: z.array(z.string()),
});
export type ComparisonView = z.infer<typeof ComparisonView>;

/** Question types of one sweep on one grid. */
export const TypeComparison = z.object({
  label: z.string(),
  /** Sites whose share is taken. */
  k: z.number().int(),
  types: z.array(
    z.object({
      type: z.string(),
      clusters: z.number().int(),
      pairs: z.number().int(),
      topShare: Share,
      low: Share,
      high: Share,
      gini: Share,
      participation: Share,
    }),
  ),
  /** a − b in the top share, with a permutation test over whole clusters. */
  differences: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      value: Share,
      low: Share,
      high: Share,
      p: Share,
      pHolm: Share,
      caveat: z.string().nullable(),
    }),
  ),
  /** Why there is nothing to compare. */
  refusal: z.string().nullable(),
});
export type TypeComparison = z.infer<typeof TypeComparison>;

/** What is detected on one grid, a row for each sweep and metric. */
export const DetectionTable = z.object({
  rows: z.array(
    z.object({
      ref: d.ResultRef,
      label: z.string(),
      model: z.string(),
      /** Null where external results do not say. */
      pairs: z.number().int().nullable(),
      method: z.string(),
      corruption: z.string(),
      direction: d.Direction,
      metric: z.string(),
      metricName: d.MetricName,
      positive: z.array(z.string()),
      negative: z.array(z.string()),
      /** With the first row; null for itself and for grids of another size. */
      spearman: Share,
    }),
  ),
});
export type DetectionTable = z.infer<typeof DetectionTable>;

/** One grid and metric in any number of results. */
export const SeveralView = z.object({
  columns: z.array(
    z.object({
      ref: d.ResultRef,
      label: z.string(),
      name: z.string(),
      model: z.string(),
      external: z.string().nullable(),
      grid: d.EffectGrid,
    }),
  ),
  /** Rank correlation of any two, row by row; null where the grids differ in size. */
  spearman: z.array(z.array(Share)),
});
export type SeveralView = z.infer<typeof SeveralView>;

/** Why a metric has no ratios stands beside its name. */
const ScatterAxis = z.object({ metric: d.MetricName, label: z.string(), noRatio: z.string().nullable() });

/** Two metrics of one sweep, site by site. */
export const MetricScatter = z.object({
  label: z.string(),
  x: ScatterAxis,
  y: ScatterAxis,
  points: z.array(
    z.object({
      layer: z.number().int(),
      column: z.number().int(),
      site: z.string(),
      a: z.number(),
      b: z.number(),
      where: z.enum(['both', 'a', 'b', 'none']),
    }),
  ),
  clusters: z.number().int(),
  /** Rank correlation over the sites with its 95 % interval over clusters; null where there is none. */
  spearman: Share,
  low: Share,
  high: Share,
});
export type MetricScatter = z.infer<typeof MetricScatter>;

export const compare = {
  types: method(z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, metric: d.MetricName }), TypeComparison),
  several: method(
    z.object({ ids: z.array(d.AnyResult).min(1).max(40), ...d.SweepHookGrid.shape }),
    DetectionTable,
  ),
  grids: method(
    z.object({
      refs: z.array(d.AnyResult).min(1).max(24),
      ...d.SweepHookGrid.shape,
      metric: d.MetricName,
    }),
    SeveralView,
  ),
  metrics: method(
    z.object({ id: d.SweepId, ...d.SweepHookGrid.shape, x: d.MetricName, y: d.MetricName }),
    MetricScatter,
  ),
  view: method(
    z.object({ a: d.AnyResult, b: d.AnyResult, ...d.SweepHookGrid.shape, metric: d.MetricName }),
    ComparisonView,
  ),
  list: method(
    none,
    z.array(
      z.object({
        id: d.ComparisonId,
        a: d.ResultRef,
        b: d.ResultRef,
        name: z.string(),
        createdAt: d.Timestamp,
      }),
    ),
  ),
  save: method(
    z.object({ a: d.AnyResult, b: d.AnyResult, name: z.string().trim().min(1) }),
    z.object({ id: d.ComparisonId }),
  ),
};
