import { invariant } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import { casesOf, type PatchCase } from './cases.ts';
import type { GraphCompiler } from './compiler.ts';
import { editsOf, type Edit } from './edits.ts';
import { noiseSource, type Noise } from './noise.ts';
import { checkTask } from './patch.ts';
import { planCase, sourceSide, type SiteRef } from './plan.ts';
import {
  distributionOf,
  readLikelihoods,
  readMetrics,
  sequenceMetrics,
  type CleanDistribution,
} from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import { gridCells, gridShape } from './sites.ts';
import type { PatchBlock, PatchPair, PatchTask } from './types.ts';
import { meanActivations, nameOf, WholeModel, type Activations } from './wholeModel.ts';

export interface NaiveOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
  /** The other model of a `model` source. */
  readonly other?: { readonly config: ModelConfig; readonly compiler: GraphCompiler } | undefined;
}

/**
 * The plain method, as a check on the packed one: the whole model once per site, with nothing skipped and
 * nothing shared. Slow; for tests and for `--strategy naive`. With another model both metrics are read through
 * the patched model's unembedding.
 */
export async function* patchNaively(
  sessions: PatchSessions,
  compiler: GraphCompiler,
  task: PatchTask,
  options: NaiveOptions = {},
): AsyncGenerator<PatchBlock, void, undefined> {
  const check = options.check ?? (() => undefined);
  const other =
    options.other === undefined ? null : new WholeModel(options.other.config, options.other.compiler);
  const { config } = sessions;
  checkTask(task, sessions.config);
  const model = new WholeModel(config, compiler);
  const noise =
    task.noise === undefined
      ? (): Noise => ({ at: new Map() })
      : (await noiseSource(sessions, task.pairs, task.noise)).draw;
  for (const [p, pair] of task.pairs.entries()) {
    const cases = casesOf(task, p, noise);
    for (const draw of new Set(cases.map((c) => c.draw))) {
      yield* drawBlocks(
        { sessions, model, other, task, pair, check },
        cases.filter((c) => c.draw === draw),
      );
    }
  }
}

interface Context {
  readonly sessions: PatchSessions;
  readonly model: WholeModel;
  /** The other model of a `model` source. */
  readonly other: WholeModel | null;
  readonly task: PatchTask;
  readonly pair: PatchPair;
  readonly check: () => void;
}

interface CaseRuns {
  readonly one: PatchCase;
  readonly target: Float32Array;
  readonly other: Float32Array;
  readonly sourceRows: Float32Array;
  readonly activations: Activations | null;
}

async function baseRuns(c: Context, one: PatchCase, names: readonly string[]): Promise<CaseRuns> {
  const { model, other: second, task } = c;
  const target = (await model.record(one.target, [])).h;
  const run = one.donor ?? one.other;
  if (second !== null) {
    const { h, activations } = await second.record(one.target, names);
    return { one, target, other: h, sourceRows: h, activations };
  }
  const other = (await model.record(one.other, [])).h;
  const recorded = await model.record(run, names);
  const means = task.source?.kind === 'mean' ? await meanActivations(model, task.source, one, names) : null;
  return {
    one,
    target,
    other,
    sourceRows: recorded.h,
    activations: sourceSide(task) === null ? means : recorded.activations,
  };
}

async function* drawBlocks(c: Context, cases: readonly PatchCase[]): AsyncGenerator<PatchBlock> {
  const { task, pair, sessions, model } = c;
  const { config } = sessions;
  const [first] = cases;
  invariant(first !== undefined, 'a draw has a case');
  const plan = planCase(task, config, first);
  if (plan === null) return;
  const clean = await cleanOf(c, first);
  for (const g of plan.grids) {
    const grid = task.grids[g];
    invariant(grid !== undefined, `no grid ${g}`);
    const cells = gridCells(grid, config, first.tokens).filter(
      (cell) => cell.source < 0 || cell.source <= cell.position,
    );
    const perCase: Float32Array[] = [];
    for (const one of cases) {
      const edits = cells.map((cell) =>
        editsOf(grid, cell, { pair, one, direction: task.direction, config }),
      );
      const names = [...new Set(edits.flat().map(nameOf))].filter((name) => name !== 'logits');
      const runs = await baseRuns(c, one, names);
      const size = one.target.reads.length * config.dModel;
      const rows = new Float32Array((3 + cells.length) * size);
      rows.set(runs.target, 0);
      rows.set(runs.other, size);
      rows.set(runs.sourceRows, 2 * size);
      for (const [i, list] of edits.entries()) {
        c.check();
        if (list.some((e) => e.hook === 'logits'))
          rows.set(readsLogits(list, one) ? runs.sourceRows : runs.target, (3 + i) * size);
        else rows.set((await model.patched(one.target, list, runs.activations)).h, (3 + i) * size);
      }
      perCase.push(rows);
    }
    const values = await valuesOf(c, cases, perCase, clean);
    yield blockOf(
      c,
      g,
      first,
      values,
      cells.map((cell) => cell.index),
      plan.zeros,
      plan.trivials,
    );
  }
}

const readsLogits = (edits: readonly Edit[], one: PatchCase): boolean =>
  one.target.reads.every((t) =>
    edits.some((e) => e.hook === 'logits' && e.tokens.some(({ to }) => to === t)),
  );

async function valuesOf(
  c: Context,
  cases: readonly PatchCase[],
  perCase: readonly Float32Array[],
  clean: CleanDistribution | null,
): Promise<Float64Array[]> {
  const { sessions, pair, task } = c;
  const [rows] = perCase;
  invariant(rows !== undefined, 'rows of the first case');
  if (pair.sequences === undefined) return readMetrics(sessions, pair, rows, task.metrics, clean);
  const logs: Float64Array[] = [];
  for (const [i, one] of cases.entries()) {
    logs.push(await readLikelihoods(sessions, one.scored ?? [], perCase[i] ?? new Float32Array(0)));
  }
  return sequenceMetrics(pair.sequences.answer.length, logs, task.metrics);
}

async function cleanOf(c: Context, one: PatchCase): Promise<CleanDistribution | null> {
  if (!c.task.metrics.includes('kl')) return null;
  const { h } = await c.model.record(c.task.direction === 'denoising' ? one.other : one.target, []);
  return distributionOf(c.sessions, h);
}

function blockOf(
  { task, sessions }: Context,
  grid: number,
  one: PatchCase,
  values: readonly Float64Array[],
  cells: readonly number[],
  zeros: readonly SiteRef[],
  trivials: readonly SiteRef[],
): PatchBlock {
  const spec = task.grids[grid];
  invariant(spec !== undefined, `no grid ${grid}`);
  const shape = gridShape(spec, sessions.config, one.tokens);
  const size = shape.reduce((a, n) => a * n, 1);
  const flags = (sites: readonly SiteRef[]): Uint8Array => {
    const out = new Uint8Array(size);
    for (const s of sites) if (s.grid === grid) out[s.cell] = 1;
    return out;
  };
  const [cleanRow, corruptedRow] = task.direction === 'denoising' ? [1, 0] : [0, 1];
  return {
    grid,
    pair: one.pair,
    draw: one.draw,
    shape,
    raw: values.map((v) => {
      const raw = new Float64Array(size).fill(Number.NaN);
      cells.forEach((cell, i) => (raw[cell] = v[3 + i] ?? Number.NaN));
      return raw;
    }),
    clean: values.map((v) => v[cleanRow] ?? Number.NaN),
    corrupted: values.map((v) => v[corruptedRow] ?? Number.NaN),
    zero: flags(zeros),
    trivial: flags(trivials),
  };
}
