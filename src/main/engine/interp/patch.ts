import { invariant, UserInputError } from '../../../shared/errors/index.ts';
import type { HookName, MetricName, ModelConfig } from '../../../shared/domain/index.ts';
import { familyOf } from '../nn/registry.ts';
import { runBaseline, type Baseline } from './baseline.ts';
import { casesOf, type PatchCase } from './cases.ts';
import { bytesOfBase, bytesOfVariant, DEFAULT_BATCH_BYTES } from './cost.ts';
import { METRIC_TABLE, needsOf } from './metrics.ts';
import { noiseSource, type Noise } from './noise.ts';
import { needsOfPlans, planCase, sourceSide, type CasePlan, type SiteRef } from './plan.ts';
import {
  distributionOf,
  readLikelihoods,
  readMetrics,
  sequenceMetrics,
  type CleanDistribution,
} from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import { checkGrid, gridShape } from './sites.ts';
import { fromRun, means, zeros, type PatchValues } from './sources.ts';
import type { PatchBlock, PatchPair, PatchTask } from './types.ts';
import { walk, type WalkItem } from './walk.ts';

export interface PatchOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
  /** The other model of a `model` source, of the same shape. */
  readonly other?: PatchSessions | undefined;
}

/** One pair of a group: pairs whose base runs fit the limit together are run together. */
interface Unit {
  readonly pair: PatchPair;
  readonly index: number;
  readonly plans: readonly CasePlan[];
}

/**
 * Exact activation patching of whole grids (METHODS sections 1, 2, 3 and 6): for every site, the metric of the
 * target run with that activation taken from the source. Denoising: the target is the corrupted prompt;
 * noising: the clean one. Yields one block per grid, pair and noise draw, in no fixed order of grids.
 * @throws UserInputError naming the hook, pair or metric that cannot be patched or measured.
 */
export async function* patch(
  sessions: PatchSessions,
  task: PatchTask,
  options: PatchOptions = {},
): AsyncGenerator<PatchBlock, void, undefined> {
  const check = options.check ?? (() => undefined);
  checkTask(task, sessions.config);
  const limit = task.memoryBytes ?? DEFAULT_BATCH_BYTES;
  const draw = await drawOf(sessions, task);
  const constant = await constantValues(sessions, task, draw, check);
  for (const units of groups(task, sessions, draw, limit)) {
    check();
    const plans = units.flatMap((u) => u.plans);
    const cases = plans.map((p) => p.one);
    const needs = needsOfPlans(task, plans, sessions.config);
    const base = await runBaseline(sessions, cases, needs, check);
    const other = options.other === undefined ? null : await runBaseline(options.other, cases, needs, check);
    const side = sourceSide(task);
    const values = constant ?? (other !== null ? fromRun(other, 'target') : fromRun(base, side ?? 'other'));
    const finals = await runVariants(sessions, base, values, plans, limit, check);
    let first = 0;
    for (const unit of units) {
      const readers = unit.plans.map((plan, i) => ({
        plan,
        at: first + i,
        variants: finals[first + i] ?? new Float32Array(0),
      }));
      first += unit.plans.length;
      yield* blocksOf({ sessions, task, base, other, otherSessions: options.other ?? null }, unit, readers);
    }
  }
}

/** @throws UserInputError for grids, sources and metrics that do not go together. */
export function checkTask(task: PatchTask, config: ModelConfig): void {
  const kind = task.source?.kind ?? 'pair';
  for (const grid of task.grids) {
    checkGrid(grid, config, familyOf(config).parallel);
    if (grid.hook === 'logits' && ['zero', 'mean'].includes(kind)) {
      throw new UserInputError(
        'LOGITS_SOURCE',
        `Logits cannot be patched from ${kind}.`,
        'Patch the final norm instead.',
      );
    }
  }
  if (task.noise !== undefined && kind === 'model') {
    throw new UserInputError(
      'SOURCE_NOISE',
      'Gaussian noise and another model cannot both make the difference between two runs.',
      'Patch from the other model without noise.',
    );
  }
  if (kind === 'model' && task.metrics.includes('relative_prob')) {
    throw new UserInputError(
      'METRIC_SOURCE',
      'The relative change of probability compares two prompts of one model.',
      'Choose logit_diff, prob or kl with another model.',
    );
  }
  const sequence = task.pairs.find((p) => p.sequences !== undefined);
  const single = task.metrics.find((m) => METRIC_TABLE[m].sequence === undefined);
  if (sequence !== undefined && single !== undefined) {
    throw new UserInputError(
      'METRIC_SEQUENCE',
      `Pair ${sequence.id} scores whole answers; ${single} reads one position.`,
      'Use logit_diff, prob, log_prob or relative_prob, or another answer mode.',
    );
  }
}

type Draw = (pair: number, draw: number) => Noise;

async function drawOf(sessions: PatchSessions, task: PatchTask): Promise<Draw> {
  if (task.noise === undefined) return () => ({ at: new Map() });
  return (await noiseSource(sessions, task.pairs, task.noise)).draw;
}

/** Values that no pair decides. */
async function constantValues(
  sessions: PatchSessions,
  task: PatchTask,
  draw: Draw,
  check: () => void,
): Promise<PatchValues | null> {
  const { source } = task;
  if (source?.kind === 'zero') return zeros(sessions.config);
  if (source?.kind !== 'mean') return null;
  const hooks = new Set<HookName>();
  for (const index of task.pairs.keys()) {
    const plans = plansOf(task, sessions, index, draw);
    for (const hook of needsOfPlans(task, plans, sessions.config).pasted) hooks.add(hook);
  }
  return means(sessions, source, hooks, check);
}

function plansOf(task: PatchTask, sessions: PatchSessions, index: number, draw: Draw): CasePlan[] {
  return casesOf(task, index, draw).flatMap((one) => planCase(task, sessions.config, one) ?? []);
}

function* groups(task: PatchTask, sessions: PatchSessions, draw: Draw, limit: number): Generator<Unit[]> {
  let units: Unit[] = [];
  let bytes = 0;
  for (const [index, pair] of task.pairs.entries()) {
    const plans = plansOf(task, sessions, index, draw);
    if (plans.length === 0) continue;
    const more = plans.reduce((sum, plan) => sum + bytesOfBase(plan, sessions.config), 0);
    if (units.length > 0 && bytes + more > limit) {
      yield units;
      units = [];
      bytes = 0;
    }
    units.push({ pair, index, plans });
    bytes += more;
  }
  if (units.length > 0) yield units;
}

/** Final rows of every variant: per case [variants × reads, d]. */
async function runVariants(
  sessions: PatchSessions,
  base: Baseline,
  values: PatchValues,
  plans: readonly CasePlan[],
  limit: number,
  check: () => void,
): Promise<Float32Array[]> {
  const { config } = sessions;
  const d = config.dModel;
  const finals = plans.map((p) => new Float32Array(p.variants.length * p.one.target.reads.length * d));
  const all = plans.flatMap((plan, one) =>
    plan.variants.map((variant, at) => ({
      variant,
      one,
      at,
      reads: plan.one.target.reads,
      bytes: bytesOfVariant(variant, plan, config),
      // Runs that change the same points share graphs; entries need none of their own.
      kind: variant.entry === null ? [...new Set(variant.edits.map((e) => e.hook))].sort().join() : '',
    })),
  );
  // Runs of one layer and of like length lie together: blocks see about as many rows from the first layer to the
  // last, and little of attention is padding.
  all.sort(
    (a, b) =>
      (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0) ||
      a.variant.layer - b.variant.layer ||
      a.variant.start - b.variant.start,
  );
  let items: ((typeof all)[number] & WalkItem)[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (items.length === 0) return;
    const rows = await walk(sessions, base, values, items, check);
    let r = 0;
    for (const { one, at, reads } of items) {
      finals[one]?.set(rows.subarray(r * d, (r + reads.length) * d), at * reads.length * d);
      r += reads.length;
    }
    items = [];
    bytes = 0;
  };
  for (const item of all) {
    if (bytes + item.bytes > limit || (items[0] !== undefined && items[0].kind !== item.kind)) await flush();
    items.push(item);
    bytes += item.bytes;
  }
  await flush();
  return finals;
}

interface ReadContext {
  readonly sessions: PatchSessions;
  readonly task: PatchTask;
  readonly base: Baseline;
  readonly other: Baseline | null;
  readonly otherSessions: PatchSessions | null;
}

interface Reader {
  readonly plan: CasePlan;
  /** Index of its case in the group. */
  readonly at: number;
  readonly variants: Float32Array;
}

/** Rows of a reader: the target run, its other run, the source run, then the variants. */
const TARGET = 0;
const OTHER = 1;
const SOURCE = 2;
const VARIANTS = 3;

function rowsOf(c: ReadContext, { plan, at, variants }: Reader): Float32Array {
  const { target } = plan.one;
  const size = target.reads.length * c.sessions.config.dModel;
  const rows = new Float32Array(VARIANTS * size + variants.length);
  const side = sourceSide(c.task);
  rows.set(c.base.finalRows(at, 'target'), TARGET * size);
  rows.set(c.base.finalRows(at, 'other'), OTHER * size);
  rows.set(c.base.finalRows(at, side ?? 'other'), SOURCE * size);
  rows.set(variants, VARIANTS * size);
  return rows;
}

async function* blocksOf(c: ReadContext, unit: Unit, readers: readonly Reader[]): AsyncGenerator<PatchBlock> {
  const draws = new Map<number, Reader[]>();
  for (const reader of readers) {
    const { draw } = reader.plan.one;
    draws.set(draw, [...(draws.get(draw) ?? []), reader]);
  }
  for (const own of draws.values()) {
    const [first] = own;
    invariant(first !== undefined, 'a draw has a case');
    const values =
      unit.pair.sequences === undefined
        ? await singleValues(c, unit, first)
        : await sequenceValues(c, unit, own);
    yield* fillBlocks(c, unit, first.plan, values);
  }
}

/** Per metric the rows' values. */
async function singleValues(c: ReadContext, unit: Unit, reader: Reader): Promise<Float64Array[]> {
  const { sessions, task } = c;
  const rows = rowsOf(c, reader);
  const clean = needsOf(task.metrics).cross ? await cleanDistribution(c, reader) : null;
  const values = await readMetrics(sessions, unit.pair, rows, task.metrics, clean);
  if (c.other !== null && c.otherSessions !== null) {
    const own = c.other.finalRows(reader.at, 'target');
    const others = await readMetrics(c.otherSessions, unit.pair, own, task.metrics, clean);
    values.forEach((v, m) => v.fill(others[m]?.[0] ?? Number.NaN, OTHER, SOURCE + 1));
  }
  return values;
}

const siteKey = ({ grid, cell }: SiteRef): string => `${grid}:${cell}`;

/** The alternatives' likelihoods put together site by site, in the rows of the first alternative's plan. */
async function sequenceValues(
  c: ReadContext,
  unit: Unit,
  readers: readonly Reader[],
): Promise<Float64Array[]> {
  const [first] = readers;
  invariant(first !== undefined && unit.pair.sequences !== undefined, 'a sequence answer has alternatives');
  const aligned: Float64Array[] = [];
  for (const reader of readers) {
    const scored = reader.plan.one.scored ?? [];
    const logs = await readLikelihoods(c.sessions, scored, rowsOf(c, reader));
    if (c.other !== null && c.otherSessions !== null) {
      const [own] = await readLikelihoods(c.otherSessions, scored, c.other.finalRows(reader.at, 'target'));
      logs.fill(own ?? Number.NaN, OTHER, SOURCE + 1);
    }
    const rowOf = new Map(
      reader.plan.variants.flatMap((v, i) => v.sites.map((s) => [siteKey(s), VARIANTS + i] as const)),
    );
    const same = first.plan.variants.map((v) => {
      const [site] = v.sites;
      return site === undefined ? Number.NaN : (logs[rowOf.get(siteKey(site)) ?? -1] ?? Number.NaN);
    });
    aligned.push(Float64Array.from([...logs.subarray(0, VARIANTS), ...same]));
  }
  return sequenceMetrics(unit.pair.sequences.answer.length, aligned, c.task.metrics);
}

/** The clean run's distribution over the vocabulary. */
async function cleanDistribution(c: ReadContext, { at }: Reader): Promise<CleanDistribution> {
  const denoising = c.task.direction === 'denoising';
  const { sessions, h } =
    denoising && c.other !== null && c.otherSessions !== null
      ? { sessions: c.otherSessions, h: c.other.finalRows(at, 'target') }
      : { sessions: c.sessions, h: c.base.finalRows(at, denoising ? 'other' : 'target') };
  return distributionOf(sessions, h);
}

function* fillBlocks(
  c: ReadContext,
  unit: Unit,
  plan: CasePlan,
  values: readonly Float64Array[],
): Generator<PatchBlock> {
  const { task } = c;
  const blocks = new Map(plan.grids.map((g) => [g, emptyBlock(c, unit, plan.one, g, values)] as const));
  const put = (grid: number, cell: number, row: number): void => {
    const block = blocks.get(grid);
    task.metrics.forEach((_: MetricName, m) => {
      const raw = block?.raw[m];
      if (raw !== undefined) raw[cell] = values[m]?.[row] ?? Number.NaN;
    });
  };
  for (const { site, value } of plan.fixed) put(site.grid, site.cell, value === 'target' ? TARGET : SOURCE);
  plan.variants.forEach((v, i) => v.sites.forEach((site) => put(site.grid, site.cell, VARIANTS + i)));
  for (const site of plan.zeros) blocks.get(site.grid)?.zero.fill(1, site.cell, site.cell + 1);
  for (const site of plan.trivials) blocks.get(site.grid)?.trivial.fill(1, site.cell, site.cell + 1);
  yield* blocks.values();
}

function emptyBlock(
  { task, sessions }: ReadContext,
  unit: Unit,
  one: PatchCase,
  grid: number,
  values: readonly Float64Array[],
): PatchBlock {
  const spec = task.grids[grid];
  invariant(spec !== undefined, `no grid ${grid}`);
  const shape = gridShape(spec, sessions.config, one.tokens);
  const size = shape.reduce((a, n) => a * n, 1);
  const [cleanRow, corruptedRow] = task.direction === 'denoising' ? [OTHER, TARGET] : [TARGET, OTHER];
  return {
    grid,
    pair: unit.index,
    draw: one.draw,
    shape,
    raw: task.metrics.map(() => new Float64Array(size).fill(Number.NaN)),
    clean: values.map((v) => v[cleanRow] ?? Number.NaN),
    corrupted: values.map((v) => v[corruptedRow] ?? Number.NaN),
    zero: new Uint8Array(size),
    trivial: new Uint8Array(size),
  };
}
