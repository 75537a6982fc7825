import { invariant } from '../../../shared/errors/index.ts';
import type { HookName, ModelConfig } from '../../../shared/domain/index.ts';
import { headWidth, hookAt, hookInfo, kvHeads } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { decoderForward } from '../nn/decoder.ts';
import type { PatchCase, PromptRun } from './cases.ts';
import { floats, ints, type CompiledGraph, type Feed, type GraphCompiler } from './compiler.ts';
import type { Edit } from './edits.ts';
import { weightsOf } from './graphs.ts';
import { isSquare, POINTS } from './points.ts';
import type { PatchSource } from './types.ts';

/** Activations of one run, by full hook name (`blocks.3.attn.hook_z`). */
export type Activations = ReadonlyMap<string, Float32Array>;

export const nameOf = (edit: Edit): string => hookAt(edit.hook, edit.layer);

interface GraphPoints {
  /** Hooks whose values may be replaced. */
  readonly patch: readonly string[];
  /** Hooks given out as they stand after any replacement. */
  readonly record: readonly string[];
}

/** ids [1, T], noise [T, d], read [R] → `h` [R, d] normalised; replaces and records the named hooks. */
function wholeGraph(config: ModelConfig, compiler: GraphCompiler, { patch, record }: GraphPoints): Graph {
  const g = new Graph(`whole ${patch.join('+')} ${record.join('+')}`);
  const noise = g.input('noise', 'float32', ['B*T', config.dModel]);
  const swap = (name: string, value: Tensor): Tensor => {
    const source = g.input(`${name}:source`, 'float32', value.shape);
    const mask = g.input(`${name}:mask`, 'float32', value.shape);
    return b.where(g, g.op('Greater', [mask, g.scalar(0)]), source, value);
  };
  const seen = (name: string, value: Tensor): Tensor => {
    const noisy = name === 'hook_embed' ? b.add(g, value, noise) : value;
    const out = patch.includes(name) ? swap(name, noisy) : noisy;
    if (record.includes(name)) g.output(`${name}:out`, g.op('Identity', [out]));
    return out;
  };
  const { hidden } = decoderForward(g, config, weightsOf(g, compiler), g.input('ids', 'int64', ['B', 'T']), {
    hook: seen,
  });
  g.output('h', b.gather(g, hidden, g.input('read', 'int64', ['R'])));
  return g;
}

/** One run of the whole model: final rows at the read positions [R, d] and the hooks that were asked for. */
interface WholeRun {
  readonly h: Float32Array;
  readonly activations: Activations;
}

/** Runs whole models, batch 1, and keeps their graphs. */
export class WholeModel {
  readonly config: ModelConfig;
  readonly #compiler: GraphCompiler;
  readonly #compiled = new Map<string, Promise<CompiledGraph>>();

  constructor(config: ModelConfig, compiler: GraphCompiler) {
    this.config = config;
    this.#compiler = compiler;
  }

  #graph(points: GraphPoints): Promise<CompiledGraph> {
    const key = `${points.patch.join()} ${points.record.join()}`;
    const known =
      this.#compiled.get(key) ??
      this.#compiler.compile(wholeGraph(this.config, this.#compiler, points), { shared: true });
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

  async #run(points: GraphPoints, feeds: Record<string, Feed>): Promise<WholeRun> {
    const session = await this.#graph(points);
    const out = await session.run(feeds, ['h', ...points.record.map((n) => `${n}:out`)]);
    invariant(out['h'] !== undefined, 'final rows');
    return {
      h: out['h'],
      activations: new Map(points.record.map((n) => [n, out[`${n}:out`] ?? new Float32Array(0)])),
    };
  }

  /** The plain run. */
  record(run: PromptRun, names: readonly string[]): Promise<WholeRun> {
    return this.#run({ patch: [], record: names }, this.#feeds(run));
  }

  /** The run with all edits made together, values from `source` (0 where there is none). */
  patched(
    run: PromptRun,
    edits: readonly Edit[],
    source: Activations | null,
    record: readonly string[] = [],
  ): Promise<WholeRun> {
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
    return this.#run({ patch: names, record }, feeds);
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

/** Mean rows over the reference prompts, repeated for (or taken at) every token of the target. */
export async function meanActivations(
  model: WholeModel,
  source: Extract<PatchSource, { kind: 'mean' }>,
  one: PatchCase,
  names: readonly string[],
): Promise<Activations> {
  const T = one.target.ids.length;
  const out = new Map<string, Float32Array>();
  const records: { readonly length: number; readonly activations: Activations }[] = [];
  for (const ids of source.reference) {
    const { activations } = await model.record({ ids, noise: null, reads: [ids.length - 1] }, names);
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
