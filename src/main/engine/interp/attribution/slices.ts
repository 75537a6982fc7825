import { hookInfo, kvHeads, type HookName, type ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import type { Edit } from '../edits.ts';
import { headsOf } from '../points.ts';
import type { WantedHook } from './graph.ts';

/** Estimates of one hook as a run returns them: one number a place of its activation, row by row. */
export interface Estimates {
  readonly values: Float32Array;
  readonly wanted: WantedHook;
  /** Queries and keys with their softmax recomputed: [layers, R, H, T]. */
  readonly fixed: boolean;
  /** Gradient rows R and tokens T of the run. */
  readonly rows: number;
  readonly tokens: number;
}

type Place = (e: Estimates, edit: Edit, row: number, token: number, config: ModelConfig) => number;

const layerOffset = (e: Estimates, layer: number): number => layer * e.rows * e.tokens;
const sum = (e: Estimates, start: number, count: number, stride = 1): number => {
  let total = 0;
  for (let i = 0; i < count; i++) total += e.values[start + i * stride] ?? Number.NaN;
  return total;
};

/** [layers, R·T] or, element by element, [layers, R·T, m]. */
const rowPlace: Place = (e, edit, row, token, config) => {
  const at = layerOffset(e, edit.layer) + row * e.tokens + token;
  if (e.wanted.grain === 'sum') return e.values[at] ?? Number.NaN;
  const m = config.dMlp;
  return edit.neuron < 0 ? sum(e, at * m, m) : (e.values[at * m + edit.neuron] ?? Number.NaN);
};

/** [layers, R, T, heads]. */
const headPlace: Place = (e, edit, row, token, config) => {
  if (e.fixed) return fixedPlace(e, edit, row, token, config);
  const heads = headsOf(e.wanted.hook, config);
  const at = (layerOffset(e, edit.layer) + row * e.tokens + token) * heads;
  return edit.head < 0 ? sum(e, at, heads) : (e.values[at + edit.head] ?? Number.NaN);
};

/** [layers, R, H, T]: a key/value head stands for the query heads that read it. */
const fixedPlace: Place = (e, edit, row, token, config) => {
  const H = config.nHead;
  const each = hookInfo(e.wanted.hook).kind === 'kv' ? H / kvHeads(config) : 1;
  const [from, count] = edit.head < 0 ? [0, H] : [edit.head * each, each];
  return sum(e, layerOffset(e, edit.layer) * H + (row * H + from) * e.tokens + token, count, e.tokens);
};

/** [layers, R, H, T] by query or, element by element, [layers, R, H, T, T]. */
const squarePlace: Place = (e, edit, row, token, config) => {
  const H = config.nHead;
  const [from, count] = edit.head < 0 ? [0, H] : [edit.head, 1];
  const at = layerOffset(e, edit.layer) * H + (row * H + from) * e.tokens + token;
  if (e.wanted.grain === 'sum') return sum(e, at, count, e.tokens);
  const T = e.tokens;
  let total = 0;
  for (let h = 0; h < count; h++) {
    const start = (at + h * T) * T;
    total += edit.key < 0 ? sum(e, start, T) : (e.values[start + edit.key] ?? Number.NaN);
  }
  return total;
};

/** One row per kind of activation. */
const PLACES: Readonly<Record<ReturnType<typeof hookInfo>['kind'], Place>> = {
  row: rowPlace,
  neuron: rowPlace,
  head: headPlace,
  kv: headPlace,
  square: squarePlace,
};

/** The estimate of one edit: the sum over its tokens, heads and elements. Tokens behind the run count nothing. */
export function estimateOf(e: Estimates, edit: Edit, row: number, config: ModelConfig): number {
  const place = PLACES[hookInfo(e.wanted.hook).kind];
  let total = 0;
  for (const { to, from } of edit.tokens) {
    invariant(to === from, 'only the same position of the source can be estimated');
    if (to < e.tokens) total += place(e, edit, row, to, config);
  }
  return total;
}

/** What the grids' sites need of each hook: element by element only where one asks for it. */
export function wantedHooks(edits: Iterable<Edit>): WantedHook[] {
  const grains = new Map<HookName, WantedHook['grain']>();
  for (const { hook, neuron, key } of edits) {
    const fine = neuron >= 0 || key >= 0;
    if (fine || !grains.has(hook)) grains.set(hook, fine ? 'element' : 'sum');
  }
  return [...grains].map(([hook, grain]) => ({ hook, grain })).sort((a, b) => a.hook.localeCompare(b.hook));
}
