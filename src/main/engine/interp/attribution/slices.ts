import { hookInfo, kvHeads, type ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import type { Edit } from '../edits.ts';
import { headsOf } from '../points.ts';
import type { WantedHook } from './graph.ts';
import type { Part } from './sites.ts';

/** Estimates of one hook as a run returns them: one number a place of its activation, row by row. */
export interface Estimates {
  readonly values: Float32Array;
  readonly grain: WantedHook['grain'];
  /** Gradient rows R and tokens T of the run. */
  readonly rows: number;
  readonly tokens: number;
  /** Heads of the hook, query heads H, and how many of these read one of the hook's. */
  readonly heads: number;
  readonly queryHeads: number;
  readonly each: number;
  readonly dMlp: number;
  readonly read: Read;
}

/** A part of a layer's activation at one token of one gradient row. */
interface Place extends Part {
  readonly layer: number;
  readonly row: number;
  token: number;
}
type Read = (e: Estimates, place: Place) => number;

function sum({ values }: Estimates, start: number, count: number, stride = 1): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[start + i * stride] ?? Number.NaN;
  return total;
}

/** [layers, R·T] or, element by element, [layers, R·T, m]. */
const readRow: Read = (e, { layer, row, token, neuron }) => {
  const at = (layer * e.rows + row) * e.tokens + token;
  if (e.grain === 'sum') return sum(e, at, 1);
  return neuron < 0 ? sum(e, at * e.dMlp, e.dMlp) : sum(e, at * e.dMlp + neuron, 1);
};

/** [layers, R, T, heads]. */
const readHead: Read = (e, { layer, row, token, head }) => {
  const at = ((layer * e.rows + row) * e.tokens + token) * e.heads;
  return head < 0 ? sum(e, at, e.heads) : sum(e, at + head, 1);
};

/** [layers, R, H, T], queries and keys with their softmax recomputed: a key head stands for the queries that read it. */
const readFixed: Read = (e, { layer, row, token, head }) => {
  const [from, count] = head < 0 ? [0, e.queryHeads] : [head * e.each, e.each];
  return sum(e, ((layer * e.rows + row) * e.queryHeads + from) * e.tokens + token, count, e.tokens);
};

/** [layers, R, H, T] by query or, element by element, [layers, R, H, T, T]. */
const readSquare: Read = (e, { layer, row, token, head, key }) => {
  const [from, count] = head < 0 ? [0, e.heads] : [head, 1];
  const T = e.tokens;
  const at = ((layer * e.rows + row) * e.heads + from) * T + token;
  if (e.grain === 'sum') return sum(e, at, count, T);
  let total = 0;
  for (let h = 0; h < count; h++) {
    const start = (at + h * T) * T;
    total += key < 0 ? sum(e, start, T) : sum(e, start + key, 1);
  }
  return total;
};

/** One row per kind of activation. */
const READS: Readonly<Record<ReturnType<typeof hookInfo>['kind'], Read>> = {
  row: readRow,
  neuron: readRow,
  head: readHead,
  kv: readHead,
  square: readSquare,
};

/** `fixed`: queries or keys with their softmax recomputed. */
export function estimatesOf(
  values: Float32Array,
  { hook, grain }: WantedHook,
  run: { readonly rows: number; readonly tokens: number; readonly fixed: boolean },
  config: ModelConfig,
): Estimates {
  const { kind, heads } = hookInfo(hook);
  return {
    values,
    grain,
    rows: run.rows,
    tokens: run.tokens,
    heads: heads ? headsOf(hook, config) : 1,
    queryHeads: config.nHead,
    each: kind === 'kv' ? config.nHead / kvHeads(config) : 1,
    dMlp: config.dMlp,
    read: run.fixed ? readFixed : READS[kind],
  };
}

/**
 * The estimate of one edit in one gradient row: the sum over its tokens and what its part names. Where the part
 * leaves something open the edit decides. Tokens behind the last read position count nothing.
 */
export function estimateOf(e: Estimates, edit: Edit, part: Part, row: number): number {
  const place: Place = {
    layer: edit.layer,
    row,
    head: part.head < 0 ? edit.head : part.head,
    neuron: part.neuron < 0 ? edit.neuron : part.neuron,
    key: part.key < 0 ? edit.key : part.key,
    token: 0,
  };
  let total = 0;
  for (const { to, from } of edit.tokens) {
    invariant(to === from, 'only the same position of the source can be estimated');
    if (to >= e.tokens) continue;
    place.token = to;
    total += e.read(e, place);
  }
  return total;
}
