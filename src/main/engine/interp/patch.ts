import { invariant } from '../../../shared/errors/index.ts';
import type { MetricName, ModelConfig } from '../../../shared/domain/index.ts';
import { runBaseline, type Baseline } from './baseline.ts';
import { floats } from './compiler.ts';
import { needsOf } from './metrics.ts';
import { DEFAULT_BATCH_BYTES, planPair, rowBytes, variantBytes, type PairPlan } from './plan.ts';
import { distribution, readMetrics, type CleanDistribution } from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import { gridShape, HOOK_ENTRIES, type Recorded } from './sites.ts';
import type { PatchBlock, PatchPair, PatchTask } from './types.ts';
import { walk, type WalkItem } from './walk.ts';

export interface PatchOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
}

/** Pairs that are run together: their base runs and patched runs fit one packed batch, or one pair alone. */
interface Group {
  readonly plans: readonly PairPlan[];
}

/**
 * Exact activation patching of whole grids (METHODS sections 1, 2 and 6): for every site, the metric of the
 * target run with that one activation taken from the source run. Denoising: the target is the corrupted
 * prompt; noising: the clean one. Yields one block per grid and pair, in no fixed order of grids.
 */
export async function* patch(
  sessions: PatchSessions,
  task: PatchTask,
  options: PatchOptions = {},
): AsyncGenerator<PatchBlock, void, undefined> {
  const check = options.check ?? (() => undefined);
  const limit = task.memoryBytes ?? DEFAULT_BATCH_BYTES;
  const record = recordedBy(task);
  for (const group of groups(task, sessions.config, limit)) {
    check();
    const pairs = group.plans.map((p) => pairOf(task, p));
    const base = await runBaseline(sessions, pairs, task.direction, record, check);
    const clean = await cleanDistributions(sessions, task, base, pairs.length);
    const finals = await runVariants(sessions, base, group, pairs, limit, check);
    for (const [i, plan] of group.plans.entries()) {
      yield* blocksOf(sessions, task, plan, pairOf(task, plan), base, i, finals, clean[i] ?? null);
    }
  }
}

function pairOf(task: PatchTask, plan: PairPlan): PatchPair {
  const pair = task.pairs[plan.pair];
  invariant(pair !== undefined, `no pair ${plan.pair}`);
  return pair;
}

/** What target and source runs must record for the task's hooks. */
function recordedBy(task: PatchTask): Set<Recorded> {
  return new Set(task.grids.flatMap((g) => [...HOOK_ENTRIES[g.hook].source, ...HOOK_ENTRIES[g.hook].target]));
}

function bytesOf(plan: PairPlan, pair: PatchPair, config: ModelConfig): number {
  const tokens = pair.read + 1;
  const base = 2 * tokens * (rowBytes(config) + 4 * 7 * config.dModel * config.nLayer);
  return plan.variants.reduce(
    (sum, v) => sum + (tokens - v.start) * rowBytes(config) + variantBytes(config, tokens),
    base,
  );
}

function* groups(task: PatchTask, config: ModelConfig, limit: number): Generator<Group> {
  let plans: PairPlan[] = [];
  let bytes = 0;
  for (const [i, pair] of task.pairs.entries()) {
    const plan = planPair(task, config, i);
    if (plan === null) continue;
    const more = bytesOf(plan, pair, config);
    if (plans.length > 0 && bytes + more > limit) {
      yield { plans };
      plans = [];
      bytes = 0;
    }
    plans.push(plan);
    bytes += more;
  }
  if (plans.length > 0) yield { plans };
}

/** The clean run's distribution per pair of the group, where a metric compares with it. */
async function cleanDistributions(
  sessions: PatchSessions,
  task: PatchTask,
  base: Baseline,
  count: number,
): Promise<CleanDistribution[]> {
  if (!needsOf(task.metrics).cross) return [];
  const side = task.direction === 'denoising' ? 'source' : 'target';
  const logits = await sessions.logits();
  const { vocabSize, dModel } = sessions.config;
  const out: CleanDistribution[] = [];
  for (let i = 0; i < count; i++) {
    const { logits: row } = await logits.run({ h: floats(base.finalRow(i, side), [1, dModel]) }, ['logits']);
    invariant(row?.length === vocabSize, 'logits of one row');
    out.push(distribution(row));
  }
  return out;
}

/** Final rows of every variant: per pair of the group, [variants, d]. */
async function runVariants(
  sessions: PatchSessions,
  base: Baseline,
  group: Group,
  pairs: readonly PatchPair[],
  limit: number,
  check: () => void,
): Promise<Float32Array[]> {
  const { config } = sessions;
  const d = config.dModel;
  const finals = group.plans.map((p) => new Float32Array(p.variants.length * d));
  let items: (WalkItem & { readonly at: number })[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (items.length === 0) return;
    const rows = await walk(sessions, base, items, check);
    items.forEach((item, r) => finals[item.pair]?.set(rows.subarray(r * d, (r + 1) * d), item.at * d));
    items = [];
    bytes = 0;
  };
  for (const [pair, plan] of group.plans.entries()) {
    const read = pairs[pair]?.read ?? 0;
    for (const [at, variant] of plan.variants.entries()) {
      const more = (read + 1 - variant.start) * rowBytes(config) + variantBytes(config, read + 1);
      if (bytes + more > limit) await flush();
      items.push({ variant, pair, read, at });
      bytes += more;
    }
  }
  await flush();
  return finals;
}

async function* blocksOf(
  sessions: PatchSessions,
  task: PatchTask,
  plan: PairPlan,
  pair: PatchPair,
  base: Baseline,
  index: number,
  finals: readonly Float32Array[],
  clean: CleanDistribution | null,
): AsyncGenerator<PatchBlock, void, undefined> {
  const d = sessions.config.dModel;
  const variants = finals[index] ?? new Float32Array(0);
  const rows = new Float32Array(variants.length + 2 * d);
  rows.set(base.finalRow(index, 'target'), 0);
  rows.set(base.finalRow(index, 'source'), d);
  rows.set(variants, 2 * d);
  const values = await readMetrics(sessions, pair, rows, task.metrics, clean);
  const blocks = new Map(
    plan.grids.map((g) => [g, emptyBlock(task, plan, g, pair, sessions.config, values)] as const),
  );
  const put = (grid: number, cell: number, row: number): void => {
    const block = blocks.get(grid);
    task.metrics.forEach((_: MetricName, m) => {
      const raw = block?.raw[m];
      if (raw !== undefined) raw[cell] = values[m]?.[row] ?? Number.NaN;
    });
  };
  for (const { site, value } of plan.fixed) put(site.grid, site.cell, value === 'target' ? 0 : 1);
  plan.variants.forEach((v, i) => v.sites.forEach((site) => put(site.grid, site.cell, 2 + i)));
  for (const site of plan.zeros) blocks.get(site.grid)?.zero.fill(1, site.cell, site.cell + 1);
  for (const site of plan.trivials) blocks.get(site.grid)?.trivial.fill(1, site.cell, site.cell + 1);
  yield* blocks.values();
}

function emptyBlock(
  task: PatchTask,
  plan: PairPlan,
  grid: number,
  pair: PatchPair,
  config: ModelConfig,
  values: readonly Float64Array[],
): PatchBlock {
  const spec = task.grids[grid];
  invariant(spec !== undefined, `no grid ${grid}`);
  const shape = gridShape(spec, config, pair.clean.length);
  const size = shape.reduce((a, n) => a * n, 1);
  const [cleanRow, corruptedRow] = task.direction === 'denoising' ? [1, 0] : [0, 1];
  return {
    grid,
    pair: plan.pair,
    shape,
    raw: task.metrics.map(() => new Float64Array(size).fill(Number.NaN)),
    clean: values.map((v) => v[cleanRow] ?? Number.NaN),
    corrupted: values.map((v) => v[corruptedRow] ?? Number.NaN),
    zero: new Uint8Array(size),
    trivial: new Uint8Array(size),
  };
}
