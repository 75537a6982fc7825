import { z } from 'zod';
import { HookName } from './hooks.ts';
import { JobId, ModelId, PairSetId, Provenance, SweepId, Timestamp } from './ids.ts';

export const Direction = z.enum(['denoising', 'noising']);
export type Direction = z.infer<typeof Direction>;

/** Metrics of METHODS section 2 that one run can measure at the read position. */
export const METRICS = [
  { name: 'logit_diff', label: 'logit difference' },
  { name: 'logit_diff_sum', label: 'summed logit difference' },
  { name: 'prob', label: 'probability of the answer' },
  { name: 'log_prob', label: 'log-probability of the answer' },
  { name: 'kl', label: 'KL divergence from clean' },
] as const;
export type MetricName = (typeof METRICS)[number]['name'];
export const MetricName = z.enum(METRICS.map((m) => m.name) as [MetricName, ...MetricName[]]);

/** The grid swept over a hook: which axes follow `pair`. */
export const GridAxes = z.enum(['layer_position', 'layer', 'layer_head', 'layer_head_position']);
export type GridAxes = z.infer<typeof GridAxes>;

export const HookGrid = z.object({ hook: HookName, axes: GridAxes });
export type HookGrid = z.infer<typeof HookGrid>;

export const SweepSpec = z.object({
  modelId: ModelId,
  pairSetId: PairSetId,
  grids: z.array(HookGrid).min(1),
  direction: Direction,
  method: z.enum(['exact']),
  corruption: z.enum(['str']),
  metrics: z.array(MetricName).min(1),
  /** |clean − corrupted| below this leaves the per-pair recovery undefined. */
  epsilon: z.number().positive().default(1e-6),
  bos: z.enum(['auto', 'yes', 'no']).default('auto'),
  seed: z.number().int().nonnegative().default(42),
});
export type SweepSpec = z.infer<typeof SweepSpec>;

/** What a sweep will cost, before it starts. */
export const SweepPlan = z.object({
  sites: z.number().int(),
  pairs: z.number().int(),
  /** Patched runs that have to be computed. */
  runs: z.number().int(),
  /** Effects that are exactly zero by construction and cost nothing. */
  structuralZeros: z.number().int(),
  /** Pairs that cannot be swept, and why. */
  skipped: z.array(z.object({ id: z.string(), reason: z.string() })),
  floorFlops: z.number(),
  seconds: z.number(),
  warnings: z.array(z.string()),
});
export type SweepPlan = z.infer<typeof SweepPlan>;

export const SweepStatus = z.enum(['draft', 'queued', 'running', 'paused', 'complete', 'stopped', 'failed']);
export const Sweep = z.object({
  id: SweepId,
  /** `S-07`. */
  label: z.string(),
  name: z.string(),
  spec: SweepSpec,
  status: SweepStatus,
  jobId: JobId.nullable(),
  createdAt: Timestamp,
  finishedAt: Timestamp.nullable(),
  plan: SweepPlan.nullable(),
  warnings: z.array(z.string()),
  provenance: Provenance.nullable(),
});
export type Sweep = z.infer<typeof Sweep>;

const Value = z.number().nullable();

/**
 * The result of `engram patch` and of a stored sweep (DESIGN, headless contract). Arrays are flat,
 * row-major, doubles; null where a value does not exist.
 */
export const PatchEffects = z.object({
  hook: z.string(),
  metric: z.string(),
  /** In this order, absent ones left out: pair, layer, head, position. */
  axes: z.array(z.enum(['pair', 'layer', 'head', 'position', 'span'])),
  shape: z.array(z.number().int().nonnegative()),
  raw: z.array(Value),
  normalized: z.array(Value),
  /** Source equals target bit for bit: effect exactly 0. Null where the pair has no such site. */
  structural_zero: z.array(z.boolean().nullable()).optional(),
  /** Every site of this entry restores the source run by construction. */
  trivial: z.literal(true).optional(),
  /** Where only some do. */
  trivial_sites: z.array(z.boolean().nullable()).optional(),
});
export type PatchEffects = z.infer<typeof PatchEffects>;

export const PatchSummary = z.object({
  hook: z.string(),
  metric: z.string(),
  axes: z.array(z.enum(['layer', 'head', 'position', 'span'])),
  shape: z.array(z.number().int().nonnegative()),
  /** Ratio of means over pairs (METHODS section 2). */
  recovery: z.array(Value),
});
export type PatchSummary = z.infer<typeof PatchSummary>;

export const PatchResult = z.object({
  engine: z.string(),
  model: z.string(),
  provider: z.string(),
  direction: Direction,
  method: z.string(),
  corruption: z.string(),
  bos: z.boolean(),
  timing: z.object({ load_ms: z.number(), sweep_ms: z.number(), peak_rss_mb: z.number() }),
  pairs: z.array(
    z.object({
      id: z.string(),
      clean_ids: z.array(z.number().int()),
      corrupted_ids: z.array(z.number().int()),
    }),
  ),
  baselines: z.array(
    z.object({ metric: z.string(), pair: z.string(), clean: z.number(), corrupted: z.number() }),
  ),
  effects: z.array(PatchEffects),
  summary: z.array(PatchSummary),
});
export type PatchResult = z.infer<typeof PatchResult>;

/**
 * One hook × metric of a sweep as the heatmap shows it, while it runs and after: the headline recovery
 * over the pairs finished so far, row-major over the axes after `pair`.
 */
export const SweepGrid = z.object({
  sweepId: SweepId,
  hook: HookName,
  metric: MetricName,
  axes: GridAxes,
  layers: z.number().int(),
  /** Heads or positions across; 1 for a `layer` grid. For layer_head_position: heads × positions, flat. */
  columns: z.number().int(),
  columnLabels: z.array(z.string()),
  pairsDone: z.number().int(),
  pairsTotal: z.number().int(),
  /** Null = not run yet or undefined. */
  recovery: z.array(Value),
  /** Mean raw metric of the patched runs. */
  raw: z.array(Value),
  /** 95 % bootstrap interval over clusters; null below 3 clusters or while running. */
  low: z.array(Value),
  high: z.array(Value),
  /** `open` = measured; zero = structural zero for every pair; trivial = restores by construction. */
  state: z.array(z.enum(['open', 'zero', 'trivial', 'missing'])),
  /** At least 2 SD from the grid's mean (structural zeros and trivial sites left out). */
  detected: z.array(z.boolean()),
  meanClean: z.number().nullable(),
  meanCorrupted: z.number().nullable(),
  direction: Direction,
});
export type SweepGrid = z.infer<typeof SweepGrid>;

/** One pinned site, over its pairs. */
export const SiteDetail = z.object({
  sweepId: SweepId,
  hook: HookName,
  metric: MetricName,
  layer: z.number().int(),
  column: z.number().int(),
  title: z.string(),
  recovery: Value,
  low: Value,
  high: Value,
  n: z.number().int(),
  clusters: z.number().int(),
  meanPatched: Value,
  meanClean: Value,
  meanCorrupted: Value,
  /** Two-sided sign-flip p, and after Holm over the grid; null where it is refused. */
  p: Value,
  pHolm: Value,
  /** Why there is no p, or what the smallest possible one is. */
  caveat: z.string().nullable(),
  trivial: z.boolean(),
  pairs: z.array(z.object({ id: z.string(), recovery: Value, raw: Value })),
});
export type SiteDetail = z.infer<typeof SiteDetail>;
