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
  { name: 'relative_prob', label: 'relative change of probability' },
  { name: 'rank', label: 'rank of the answer' },
  { name: 'top1', label: 'answer is the top token' },
] as const;
export type MetricName = (typeof METRICS)[number]['name'];
export const MetricName = z.enum(METRICS.map((m) => m.name) as [MetricName, ...MetricName[]]);

/** Grids that a study's sweep stores and a heatmap shows: which axes follow `pair`, in this order. */
export const GridAxes = z.enum([
  'layer_position',
  'layer',
  'layer_head',
  'layer_head_position',
  'layer_span',
  'layer_head_span',
  'layer_neuron',
]);
export type GridAxes = z.infer<typeof GridAxes>;

/** Every grid that can be patched. */
export const PatchAxes = z.enum([
  'layer_position',
  'layer',
  'layer_head',
  'layer_head_position',
  'layer_span',
  'layer_head_span',
  'layer_head_position_source',
  'layer_neuron',
  'layer_position_neuron',
  'layer_span_neuron',
  'position',
  'span',
  'whole',
]);
export type PatchAxes = z.infer<typeof PatchAxes>;

/** One activation: a hook of a layer (0 where the hook has none), whole or one head, neuron or token of it. */
export const SiteSpec = z.object({
  hook: HookName,
  layer: z.number().int().nonnegative().default(0),
  head: z.number().int().nonnegative().optional(),
  neuron: z.number().int().nonnegative().optional(),
  /** A token (negative counts from the end), or a span's name; absent = every token. */
  position: z.union([z.number().int(), z.string().min(1)]).optional(),
  /** Token or span of the source run; absent = the same as `position`. */
  from: z.union([z.number().int(), z.string().min(1)]).optional(),
});
export type SiteSpec = z.infer<typeof SiteSpec>;

export const HookGrid = z.object({
  hook: HookName,
  axes: PatchAxes,
  /** Layers patched together: [l − ⌊w/2⌋, l + ⌈w/2⌉), clipped at the ends (METHODS section 6). */
  window: z.number().int().min(2).optional(),
  /** Only these layers of the layer axis are patched; absent = all. */
  onlyLayers: z.array(z.number().int().nonnegative()).min(1).optional(),
  /** Spans of a span axis, by name. */
  spans: z.array(z.string().min(1)).min(1).optional(),
  /** Neurons of a neuron axis; absent = all. */
  neurons: z.array(z.number().int().nonnegative()).min(1).optional(),
  /** Without a position axis: the tokens patched; absent = every token. Negative counts from the end. */
  at: z.union([z.number().int(), z.string().min(1)]).optional(),
  /** With `at`: the tokens of the source run whose values are pasted there. */
  from: z.union([z.number().int(), z.string().min(1)]).optional(),
  /** Sites patched together in one run instead of a grid (axes `whole`; `hook` is the first site's). */
  sites: z.array(SiteSpec).min(1).optional(),
});
export type HookGrid = z.infer<typeof HookGrid>;

/** What a study's sweep stores of a grid, and what names it among the sweep's grids. */
export const SweepHookGrid = HookGrid.pick({
  hook: true,
  window: true,
  onlyLayers: true,
  spans: true,
  neurons: true,
  at: true,
  from: true,
}).extend({ axes: GridAxes });
export type SweepHookGrid = z.infer<typeof SweepHookGrid>;

/** What names a grid beside its hook and axes, in the order of its id. */
const GRID_PARTS = ['window', 'onlyLayers', 'spans', 'neurons', 'at', 'from'] as const;

/** Equal for the same grid and different for any other. */
export function gridId(grid: SweepHookGrid): string {
  const parts = GRID_PARTS.flatMap((part) =>
    grid[part] === undefined ? [] : [` ${part} ${JSON.stringify(grid[part])}`],
  );
  return `${grid.hook} ${grid.axes}${parts.join('')}`;
}

export const sameGrid = (a: SweepHookGrid, b: SweepHookGrid): boolean => gridId(a) === gridId(b);

/** The name of a grid alone, without what else a larger object holds. */
export function gridOf(grid: SweepHookGrid): SweepHookGrid {
  const { hook, axes } = grid;
  const parts = GRID_PARTS.flatMap((part) => (grid[part] === undefined ? [] : [[part, grid[part]] as const]));
  return { hook, axes, ...Object.fromEntries(parts) };
}

/** Where the pasted activations come from. */
export const PatchSourceKind = z.enum([
  'pair',
  'prompt',
  'zero',
  'mean',
  'mean_position',
  'resample',
  'model',
]);
export type PatchSourceKind = z.infer<typeof PatchSourceKind>;

export const Corruption = z.enum(['str', 'gn']);
export type Corruption = z.infer<typeof Corruption>;

/** Gaussian noise on the embeddings of key tokens (METHODS section 3). */
export const SweepNoise = z.object({
  /** Noisy runs of a pair; averaged before anything else. */
  draws: z.number().int().min(1).max(100).default(10),
  /** Its SD in units of the SD of all key tokens' embeddings. */
  scale: z.number().positive().max(100).default(3),
  /** Spans of the clean prompt whose tokens are corrupted; absent = a pair's key, else the tokens that differ. */
  spans: z.array(z.string().min(1)).min(1).optional(),
});
export type SweepNoise = z.infer<typeof SweepNoise>;

/** How effects come about: by patching each site, or estimated by gradients (METHODS section 7). */
export const METHODS = [
  { name: 'exact', label: 'exact patching' },
  { name: 'atp', label: 'attribution patching (AtP)' },
  { name: 'atp-star', label: 'AtP* (QK-fix and GradDrop)' },
  { name: 'ig', label: 'integrated gradients' },
] as const;
export type SweepMethod = (typeof METHODS)[number]['name'];
export const SweepMethod = z.enum(METHODS.map((m) => m.name) as [SweepMethod, ...SweepMethod[]]);

/** What a study's sweep pastes, where it is not the pair's other prompt. */
export const SweepSource = z.discriminatedUnion('kind', [
  /** Each pair's third prompt. */
  z.object({ kind: z.literal('prompt') }),
  z.object({ kind: z.literal('zero') }),
  /** Over the clean prompts of the sweep's pairs: over all their tokens, or position by position. */
  z.object({ kind: z.literal('mean'), perPosition: z.boolean().default(false) }),
  /** Another pair's clean prompt of the same length, drawn by the sweep's seed. */
  z.object({ kind: z.literal('resample') }),
  /** The same clean prompt read by another model of the same shape. */
  z.object({ kind: z.literal('model'), modelId: ModelId }),
]);
export type SweepSource = z.infer<typeof SweepSource>;

export const SweepSpec = z.object({
  modelId: ModelId,
  pairSetId: PairSetId,
  grids: z.array(SweepHookGrid).min(1),
  direction: Direction,
  /** Absent = the pair's other prompt. */
  source: SweepSource.optional(),
  method: SweepMethod,
  /** Points of the line for integrated gradients; absent = 5. */
  steps: z.number().int().min(1).max(1000).optional(),
  corruption: Corruption,
  /** With `gn`; absent = ten draws of three SD. The draws follow the sweep's seed. */
  noise: SweepNoise.optional(),
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
  /** In this order, absent ones left out. */
  /** Sites patched together, where the entry is not one grid. */
  sites: z.array(SiteSpec).optional(),
  /** Where pasted values come from and go to, where that is not the same place. */
  from: z.union([z.number().int(), z.string()]).optional(),
  to: z.union([z.number().int(), z.string()]).optional(),
  /** Names along a span axis, and neurons along a neuron axis where not all were patched. */
  spans: z.array(z.string()).optional(),
  neurons: z.array(z.number().int()).optional(),
  /** Layers patched together, where the axis is `window`. */
  window: z.number().int().optional(),
  axes: z.array(z.enum(['pair', 'draw', 'layer', 'window', 'head', 'position', 'span', 'source', 'neuron'])),
  shape: z.array(z.number().int().nonnegative()),
  raw: z.array(Value),
  normalized: z.array(Value),
  /** |clean − corrupted| below which `normalized` is null. */
  epsilon: z.number().optional(),
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
  sites: z.array(SiteSpec).optional(),
  from: z.union([z.number().int(), z.string()]).optional(),
  to: z.union([z.number().int(), z.string()]).optional(),
  window: z.number().int().optional(),
  axes: z.array(z.enum(['layer', 'window', 'head', 'position', 'span', 'source', 'neuron'])),
  shape: z.array(z.number().int().nonnegative()),
  /** Ratio of means over pairs (METHODS section 2). */
  recovery: z.array(Value),
  /** |clean − corrupted| of the means below which `recovery` is null. */
  epsilon: z.number().optional(),
  /** Under Gaussian noise: standard deviation of the raw metric over a pair's draws, averaged over pairs. */
  draw_sd: z.array(Value).optional(),
});
export type PatchSummary = z.infer<typeof PatchSummary>;

/** The strongest sites of an estimated grid, patched exactly, and how the two agree. */
export const PatchVerification = z.object({
  hook: z.string(),
  metric: z.string(),
  axes: PatchSummary.shape.axes,
  /** Sites compared. */
  n: z.number().int(),
  /** Rank correlations of the signed mean effects; null where they are not defined. */
  spearman: Value,
  kendall: Value,
  /** Sites whose estimate has the sign of the exact effect. */
  same_sign: z.number().int(),
  /** How many of the k strongest by estimate are among the k strongest by exact effect. */
  overlap: z.object({ k: z.number().int(), shared: z.number().int() }),
  /** Largest difference of the mean effects, in the metric's unit. */
  largest_error: z.number(),
  /** Strongest estimate first: coordinates on `axes`, and both headline recoveries. */
  sites: z.array(z.object({ at: z.array(z.number().int()), estimated: Value, exact: Value })),
});
export type PatchVerification = z.infer<typeof PatchVerification>;

/** Attention read as the outcome of one joint patch (`--watch`). */
export const PatchAttention = z.object({
  sites: z.array(SiteSpec),
  /** Watched heads, `layer.head`. */
  watch: z.array(z.string()),
  looks: z.array(
    z.object({ from: z.union([z.number().int(), z.string()]), to: z.union([z.number().int(), z.string()]) }),
  ),
  axes: z.array(z.enum(['pair', 'draw', 'head', 'look'])),
  shape: z.array(z.number().int().nonnegative()),
  /** Attention probabilities, flat and row-major, each in the run's own prompt. */
  clean: z.array(z.number()),
  corrupted: z.array(z.number()),
  patched: z.array(z.number()),
});
export type PatchAttention = z.infer<typeof PatchAttention>;

export const PatchResult = z.object({
  engine: z.string(),
  model: z.string(),
  provider: z.string(),
  direction: Direction,
  method: z.string(),
  corruption: z.string(),
  /** Where pasted values come from; absent = the pair's other prompt. */
  source: z.string().optional(),
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
    z.object({
      metric: z.string(),
      pair: z.string(),
      /** Draw of Gaussian noise. */
      draw: z.number().int().optional(),
      clean: z.number(),
      corrupted: z.number(),
      /** The gap is smaller than epsilon: the pair has no recovery. */
      small_gap: z.literal(true).optional(),
    }),
  ),
  effects: z.array(PatchEffects),
  summary: z.array(PatchSummary),
  /** With `--watch`: one entry a joint patch. */
  attention: z.array(PatchAttention).optional(),
  /** With `--verify-top`: one entry a hook and metric. */
  verification: z.array(PatchVerification).optional(),
});
export type PatchResult = z.infer<typeof PatchResult>;

/** Effects of one hook × metric as a heatmap shows them, wherever they come from: row-major over layers and columns. */
export const EffectGrid = SweepHookGrid.extend({
  metric: MetricName,
  layers: z.number().int(),
  /** Heads, positions, spans or neurons across; 1 for a `layer` grid. Two axes lie flat: heads × positions. */
  columns: z.number().int(),
  columnLabels: z.array(z.string()),
  pairsDone: z.number().int(),
  pairsTotal: z.number().int(),
  /** Null = not run yet or undefined. */
  recovery: z.array(Value),
  /** Mean raw metric of the patched runs. */
  raw: z.array(Value),
  /** Mean change of the metric against the run that was patched into, which exists whatever the gap. */
  effect: z.array(Value).optional(),
  /** Why `recovery` is undefined throughout; absent where it is defined. */
  noRatio: z.string().optional(),
  /** 95 % bootstrap interval over clusters; null below 3 clusters or while running. */
  low: z.array(Value),
  high: z.array(Value),
  /** Under Gaussian noise: SD of the raw metric over a pair's draws, mean over pairs. */
  drawSd: z.array(Value).optional(),
  /**
   * `open` = measured; zero = structural zero for every pair; trivial = restores by construction; missing = no pair
   * has the site, or its layer was not chosen.
   */
  state: z.array(z.enum(['open', 'zero', 'trivial', 'missing'])),
  /** At least 2 SD from the grid's mean (structural zeros and trivial sites left out). */
  detected: z.array(z.boolean()),
  meanClean: z.number().nullable(),
  meanCorrupted: z.number().nullable(),
  direction: Direction,
});
export type EffectGrid = z.infer<typeof EffectGrid>;

/**
 * One hook × metric of a sweep as the heatmap shows it, while it runs and after: the headline recovery
 * over the pairs finished so far.
 */
export const SweepGrid = EffectGrid.extend({ sweepId: SweepId });
export type SweepGrid = z.infer<typeof SweepGrid>;

/** One pinned site, over its pairs. */
export const SiteDetail = z.object({
  sweepId: SweepId,
  hook: HookName,
  window: HookGrid.shape.window,
  metric: MetricName,
  layer: z.number().int(),
  column: z.number().int(),
  title: z.string(),
  /** What the column stands for; null where the grid has no such axis. */
  head: z.number().int().nullable(),
  position: z.number().int().nullable(),
  span: z.string().optional(),
  neuron: z.number().int().optional(),
  recovery: Value,
  low: Value,
  high: Value,
  n: z.number().int(),
  clusters: z.number().int(),
  meanPatched: Value,
  meanClean: Value,
  meanCorrupted: Value,
  /** Why the recovery is undefined; absent where it is defined. */
  noRatio: z.string().optional(),
  /** Two-sided sign-flip p, and after Holm over the grid; null where it is refused. */
  p: Value,
  pHolm: Value,
  /** Why there is no p, or what the smallest possible one is. */
  caveat: z.string().nullable(),
  trivial: z.boolean(),
  /** `effect`: change of the metric against the run that was patched into. */
  pairs: z.array(z.object({ id: z.string(), recovery: Value, raw: Value, effect: Value.optional() })),
});
export type SiteDetail = z.infer<typeof SiteDetail>;
