import { invariant } from '../../../shared/errors/index.ts';
import type { HookName, ModelConfig } from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { decoderForward } from '../nn/decoder.ts';
import { floats, ints, type CompiledGraph, type Feed, type GraphCompiler } from './compiler.ts';
import { weightsOf } from './graphs.ts';
import { planPair, type SiteRef } from './plan.ts';
import { distribution, readMetrics, type CleanDistribution } from './readout.ts';
import type { PatchSessions } from './sessions.ts';
import { gridCells, gridShape, type Cell } from './sites.ts';
import type { PatchBlock, PatchPair, PatchTask } from './types.ts';

const hookAt = (hook: HookName, layer: number): string => hook.replace('{layer}', String(layer));

interface Site {
  readonly hook: HookName;
  readonly layer: number;
}

/** ids [1, T], read [1] → `h` [1, d] normalised, and either the activation of a site or its replacement. */
function siteGraph(
  config: ModelConfig,
  compiler: GraphCompiler,
  site: Site,
  mode: 'record' | 'patch',
): Graph {
  const name = hookAt(site.hook, site.layer);
  const g = new Graph(`naive_${mode}_${name}`);
  const swap = (value: Tensor): Tensor => {
    const source = g.input('source', 'float32', value.shape);
    const mask = g.input('mask', 'float32', value.shape);
    return b.where(g, g.op('Greater', [mask, g.scalar(0)]), source, value);
  };
  const record = (value: Tensor): Tensor => {
    g.output('activation', value);
    return value;
  };
  const { hidden } = decoderForward(g, config, weightsOf(g, compiler), g.input('ids', 'int64', ['B', 'T']), {
    hook: (at, value) => (at !== name ? value : mode === 'patch' ? swap(value) : record(value)),
  });
  g.output('h', b.gather(g, hidden, g.input('read', 'int64', ['R'])));
  return g;
}

/**
 * The plain method, as a check on the packed one: the whole model once per site, with nothing skipped and
 * nothing shared. Slow; for tests and for `--strategy naive`.
 */
export async function* patchNaively(
  sessions: PatchSessions,
  compiler: GraphCompiler,
  task: PatchTask,
  check: () => void = () => undefined,
): AsyncGenerator<PatchBlock, void, undefined> {
  const { config } = sessions;
  const compiled = new Map<string, Promise<CompiledGraph>>();
  const graphOf = (site: Site, mode: 'record' | 'patch'): Promise<CompiledGraph> => {
    const key = `${mode}${hookAt(site.hook, site.layer)}`;
    const known = compiled.get(key) ?? compiler.compile(siteGraph(config, compiler, site, mode));
    compiled.set(key, known);
    return known;
  };
  for (const [p, pair] of task.pairs.entries()) {
    const plan = planPair(task, config, p);
    if (plan === null) continue;
    const [target, source] =
      task.direction === 'denoising' ? [pair.corrupted, pair.clean] : [pair.clean, pair.corrupted];
    const record = async (ids: readonly number[], site: Site): Promise<Record<string, Float32Array>> =>
      (await graphOf(site, 'record')).run(promptFeeds(ids, pair.read), ['h', 'activation']);
    const first = task.grids[0];
    invariant(first !== undefined, 'a task has a grid');
    const anySite = { hook: first.hook, layer: 0 };
    const { h: targetH } = await record(target, anySite);
    const { h: sourceH } = await record(source, anySite);
    invariant(targetH !== undefined && sourceH !== undefined, 'final rows');
    const clean = await cleanOf(sessions, task, task.direction === 'denoising' ? sourceH : targetH);
    const metricsOf = (h: Float32Array): Promise<Float64Array[]> =>
      readMetrics(sessions, pair, h, task.metrics, clean);
    const [targetValues, sourceValues] = [await metricsOf(targetH), await metricsOf(sourceH)];
    const [cleanValues, corruptedValues] =
      task.direction === 'denoising' ? [sourceValues, targetValues] : [targetValues, sourceValues];

    for (const gi of plan.grids) {
      const grid = task.grids[gi];
      if (grid === undefined) continue;
      const shape = gridShape(grid, config, pair.clean.length);
      const size = shape.reduce((a, n) => a * n, 1);
      const raw = task.metrics.map(() => new Float64Array(size));
      for (const cell of gridCells(grid, config, pair.clean.length)) {
        check();
        const site = { hook: grid.hook, layer: cell.layer };
        const { activation } = await record(source, site);
        invariant(activation !== undefined, 'an activation');
        const mask = maskOf(cell, grid.hook, config, pair, activation.length);
        const dims = activationDims(grid.hook, config, pair, activation.length);
        const { h } = await (
          await graphOf(site, 'patch')
        ).run(
          { ...promptFeeds(target, pair.read), source: floats(activation, dims), mask: floats(mask, dims) },
          ['h'],
        );
        invariant(h !== undefined, 'a final row');
        const values = await metricsOf(h);
        raw.forEach((array, m) => (array[cell.index] = values[m]?.[0] ?? Number.NaN));
      }
      const flags = (sites: readonly SiteRef[]): Uint8Array => {
        const out = new Uint8Array(size);
        for (const s of sites) if (s.grid === gi) out[s.cell] = 1;
        return out;
      };
      yield {
        grid: gi,
        pair: p,
        shape,
        raw,
        clean: cleanValues.map((v) => v[0] ?? Number.NaN),
        corrupted: corruptedValues.map((v) => v[0] ?? Number.NaN),
        zero: flags(plan.zeros),
        trivial: flags(plan.trivials),
      };
    }
  }
}

function promptFeeds(ids: readonly number[], read: number): Record<string, Feed> {
  return { ids: ints(ids, [1, ids.length]), read: ints([read], [1]) };
}

async function cleanOf(
  sessions: PatchSessions,
  task: PatchTask,
  h: Float32Array,
): Promise<CleanDistribution | null> {
  if (!task.metrics.includes('kl')) return null;
  const { logits } = await (
    await sessions.logits()
  ).run({ h: floats(h, [1, sessions.config.dModel]) }, ['logits']);
  invariant(logits !== undefined, 'logits of one row');
  return distribution(logits);
}

/** [T, width], or [1, T, H, dh] for hooks with heads. */
function activationDims(hook: HookName, config: ModelConfig, pair: PatchPair, size: number): number[] {
  const T = pair.clean.length;
  return hookInfo(hook).heads ? [1, T, config.nHead, config.dModel / config.nHead] : [T, size / T];
}

/** 1 where the source's value goes in: one position or all, one head or all. */
function maskOf(
  cell: Cell,
  hook: HookName,
  config: ModelConfig,
  pair: PatchPair,
  size: number,
): Float32Array {
  const T = pair.clean.length;
  const width = size / T;
  const dh = config.dModel / config.nHead;
  const mask = new Float32Array(size);
  const [from, to] = cell.head < 0 ? [0, width] : [cell.head * dh, (cell.head + 1) * dh];
  invariant(cell.head < 0 || hookInfo(hook).heads, `${hook} has no heads`);
  const [first, last] = cell.position < 0 ? [0, T - 1] : [cell.position, cell.position];
  for (let t = first; t <= last; t++) mask.fill(1, t * width + from, t * width + to);
  return mask;
}
