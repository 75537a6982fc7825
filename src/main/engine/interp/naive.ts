import { invariant } from '../../../shared/errors/index.ts';
import type { HookName, ModelConfig } from '../../../shared/domain/index.ts';
import { headWidth, hookAt, hookInfo, kvHeads } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { decoderForward } from '../nn/decoder.ts';
import { casesOf, type PatchCase, type PromptRun } from './cases.ts';
import { floats, ints, type CompiledGraph, type Feed, type GraphCompiler } from './compiler.ts';
import { editsOf, type Edit } from './edits.ts';
import { weightsOf } from './graphs.ts';
import { noiseSource, type Noise } from './noise.ts';
import { checkTask } from './patch.ts';
import { planCase, sourceSide, type SiteRef } from './plan.ts';
import { isSquare, POINTS } from './points.ts';
import {
  distribution,
  readLikelihoods,
  readMetrics,
  sequenceMetrics,
  type CleanDistribution,
} from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import { gridCells, gridShape } from './sites.ts';
import type { PatchBlock, PatchPair, PatchSource, PatchTask } from './types.ts';

/** Activations of one run, by full hook name (`blocks.3.attn.hook_z`). */
type Activations = ReadonlyMap<string, Float32Array>;

const nameOf = (edit: Edit): string => hookAt(edit.hook, edit.layer);

/** ids [1, T], noise [T, d], read [R] → `h` [R, d] normalised; records or replaces the named hooks. */
function wholeGraph(
  config: ModelConfig,
  compiler: GraphCompiler,
  names: readonly string[],
  mode: 'record' | 'patch',
): Graph {
  const g = new Graph(`naive ${mode} ${names.join('+')}`);
  const noise = g.input('noise', 'float32', ['B*T', config.dModel]);
  const swap = (name: string, value: Tensor): Tensor => {
    const source = g.input(`${name}:source`, 'float32', value.shape);
    const mask = g.input(`${name}:mask`, 'float32', value.shape);
    return b.where(g, g.op('Greater', [mask, g.scalar(0)]), source, value);
  };
  const seen = (name: string, value: Tensor): Tensor => {
    const noisy = name === 'hook_embed' ? b.add(g, value, noise) : value;
    if (!names.includes(name)) return noisy;
    if (mode === 'patch') return swap(name, noisy);
    g.output(`${name}:out`, g.op('Identity', [noisy]));
    return noisy;
  };
  const { hidden } = decoderForward(g, config, weightsOf(g, compiler), g.input('ids', 'int64', ['B', 'T']), {
    hook: seen,
  });
  g.output('h', b.gather(g, hidden, g.input('read', 'int64', ['R'])));
  return g;
}

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
    options.other === undefined ? null : new NaiveModel(options.other.config, options.other.compiler);
  const { config } = sessions;
  checkTask(task, sessions.config);
  const model = new NaiveModel(config, compiler);
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
  readonly model: NaiveModel;
  /** The other model of a `model` source. */
  readonly other: NaiveModel | null;
  readonly task: PatchTask;
  readonly pair: PatchPair;
  readonly check: () => void;
}

/** Runs whole models and keeps their graphs. */
class NaiveModel {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #compiled = new Map<string, Promise<CompiledGraph>>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  #graph(names: readonly string[], mode: 'record' | 'patch'): Promise<CompiledGraph> {
    const key = `${mode} ${names.join()}`;
    const known =
      this.#compiled.get(key) ??
      this.#compiler.compile(wholeGraph(this.config, this.#compiler, names, mode), { shared: true });
    this.#compiled.set(key, known);
    return known;
  }

  #feeds(run: PromptRun): Record<string, Feed> {
    const d = this.config.dModel;
    const T = run.ids.length;
    const noise = new Float32Array(T * d);
    for (const [t, row] of run.noise?.at ?? []) noise.set(row, t * d);
    return {
      ids: ints(run.ids, [1, T]),
      noise: floats(noise, [T, d]),
      read: ints(run.reads, [run.reads.length]),
    };
  }

  /** Final rows [R, d] and the activations of the named hooks. */
  async record(
    run: PromptRun,
    names: readonly string[],
  ): Promise<{ h: Float32Array; activations: Activations }> {
    const session = await this.#graph(names, 'record');
    const out = await session.run(this.#feeds(run), ['h', ...names.map((n) => `${n}:out`)]);
    invariant(out['h'] !== undefined, 'final rows');
    return {
      h: out['h'],
      activations: new Map(names.map((n) => [n, out[`${n}:out`] ?? new Float32Array(0)])),
    };
  }

  async patched(run: PromptRun, edits: readonly Edit[], source: Activations | null): Promise<Float32Array> {
    const names = [...new Set(edits.map(nameOf))];
    const feeds = this.#feeds(run);
    for (const name of names) {
      const own = edits.filter((e) => nameOf(e) === name);
      const { hook } = own[0] ?? { hook: 'hook_embed' as HookName };
      const dims = activationDims(hook, this.config, run.ids.length);
      const size = dims.reduce((a, n) => a * n, 1);
      const [mask, values] = [new Float32Array(size), new Float32Array(size)];
      for (const edit of own)
        write(edit, this.config, run.ids.length, source?.get(name) ?? null, mask, values);
      feeds[`${name}:mask`] = floats(mask, dims);
      feeds[`${name}:source`] = floats(values, dims);
    }
    const session = await this.#graph(names, 'patch');
    const { h } = await session.run(feeds, ['h']);
    invariant(h !== undefined, 'final rows');
    return h;
  }
}

/** [T, width]; [1, T, heads, dh] for hooks with heads; [1, H, T, T] for squares. */
function activationDims(hook: HookName, config: ModelConfig, T: number): number[] {
  const { kind } = hookInfo(hook);
  if (kind === 'square') return [1, config.nHead, T, T];
  if (kind === 'head') return [1, T, config.nHead, headWidth(config)];
  if (kind === 'kv') return [1, T, kvHeads(config), headWidth(config)];
  return [T, POINTS[hook].width(config)];
}

/** Puts an edit's values and a mask of 1 where they go; without a source the values stay 0. */
function write(
  edit: Edit,
  config: ModelConfig,
  T: number,
  source: Float32Array | null,
  mask: Float32Array,
  values: Float32Array,
): void {
  const copy = (to: number, from: number, length: number): void => {
    mask.fill(1, to, to + length);
    if (source !== null) values.set(source.subarray(from, from + length), to);
  };
  for (const { to, from } of edit.tokens) {
    if (isSquare(edit.hook)) {
      // The source's square has its own side; both prompts are of one length here.
      for (let head = 0; head < config.nHead; head++) {
        if (edit.head >= 0 && head !== edit.head) continue;
        const [row, sourceRow] = [(head * T + to) * T, (head * T + from) * T];
        if (edit.key >= 0) copy(row + edit.key, sourceRow + edit.key, 1);
        else copy(row, sourceRow, to + 1);
      }
      continue;
    }
    const width = POINTS[edit.hook].width(config);
    const dh = headWidth(config);
    if (edit.neuron >= 0) copy(to * width + edit.neuron, from * width + edit.neuron, 1);
    else if (edit.head >= 0) copy(to * width + edit.head * dh, from * width + edit.head * dh, dh);
    else copy(to * width, from * width, width);
  }
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
  const means = task.source?.kind === 'mean' ? await meanActivations(c, task.source, one, names) : null;
  return {
    one,
    target,
    other,
    sourceRows: recorded.h,
    activations: sourceSide(task) === null ? means : recorded.activations,
  };
}

/** Mean rows over the reference prompts, repeated for (or taken at) every token of the target. */
async function meanActivations(
  c: Context,
  source: Extract<PatchSource, { kind: 'mean' }>,
  one: PatchCase,
  names: readonly string[],
): Promise<Activations> {
  const T = one.target.ids.length;
  const out = new Map<string, Float32Array>();
  const records: { readonly length: number; readonly activations: Activations }[] = [];
  for (const ids of source.reference) {
    const { activations } = await c.model.record({ ids, noise: null, reads: [ids.length - 1] }, names);
    records.push({ length: ids.length, activations });
  }
  for (const name of names) {
    const width = (records[0]?.activations.get(name)?.length ?? 0) / (records[0]?.length ?? 1);
    const rows = new Float32Array(T * width);
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < width; i++) {
        const values = records.flatMap(({ length, activations }) =>
          Array.from({ length }, (_, at) => ({ at, value: activations.get(name)?.[at * width + i] ?? 0 })),
        );
        const used = source.perPosition ? values.filter(({ at }) => at === t) : values;
        rows[t * width + i] = used.reduce((sum, { value }) => sum + value, 0) / used.length;
      }
    }
    out.set(name, rows);
  }
  return out;
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
        else rows.set(await model.patched(one.target, list, runs.activations), (3 + i) * size);
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
  const { logits } = await (
    await c.sessions.logits()
  ).run({ h: floats(h, [1, c.sessions.config.dModel]) }, ['logits']);
  invariant(logits !== undefined, 'logits of one row');
  return distribution(logits);
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
