import { hookInfo, kvHeads, type ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import type { Edit } from '../edits.ts';
import { headsOf } from '../points.ts';
import type { WantedHook } from './graph.ts';
import type { Part } from './sites.ts';

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

/** A part of a layer's activation at one token of one gradient row. */
interface Place extends Part {
  readonly layer: number;
  readonly row: number;
  readonly token: number;
}
type Read = (e: Estimates, place: Place, config: ModelConfig) => number;

function sum({ values }: Estimates, start: number, count: number, stride = 1): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[start + i * stride] ?? Number.NaN;
  return total;
}

/** [layers, R·T] or, element by element, [layers, R·T, m]. */
const readRow: Read = (e, { layer, row, token, neuron }, { dMlp }) => {
  const at = (layer * e.rows + row) * e.tokens + token;
  if (e.wanted.grain === 'sum') return sum(e, at, 1);
  return neuron < 0 ? sum(e, at * dMlp, dMlp) : sum(e, at * dMlp + neuron, 1);
};

/** [layers, R, T, heads]. */
const readHead: Read = (e, place, config) => {
  if (e.fixed) return readFixed(e, place, config);
  const { layer, row, token, head } = place;
  const heads = headsOf(e.wanted.hook, config);
  const at = ((layer * e.rows + row) * e.tokens + token) * heads;
  return head < 0 ? sum(e, at, heads) : sum(e, at + head, 1);
};

/** [layers, R, H, T]: a key/value head stands for the query heads that read it. */
const readFixed: Read = (e, { layer, row, token, head }, config) => {
  const H = config.nHead;
  const each = hookInfo(e.wanted.hook).kind === 'kv' ? H / kvHeads(config) : 1;
  const [from, count] = head < 0 ? [0, H] : [head * each, each];
  return sum(e, ((layer * e.rows + row) * H + from) * e.tokens + token, count, e.tokens);
};

/** [layers, R, H, T] by query or, element by element, [layers, R, H, T, T]. */
const readSquare: Read = (e, { layer, row, token, head, key }, { nHead: H }) => {
  const [from, count] = head < 0 ? [0, H] : [head, 1];
  const T = e.tokens;
  const at = ((layer * e.rows + row) * H + from) * T + token;
  if (e.wanted.grain === 'sum') return sum(e, at, count, T);
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

/**
 * The estimate of one edit in one gradient row: the sum over its tokens and what its part names. Where the part
 * leaves something open the edit decides. Tokens behind the last read position count nothing.
 */
export function estimateOf(e: Estimates, edit: Edit, part: Part, row: number, config: ModelConfig): number {
  const read = READS[hookInfo(e.wanted.hook).kind];
  const place = {
    layer: edit.layer,
    row,
    head: part.head < 0 ? edit.head : part.head,
    neuron: part.neuron < 0 ? edit.neuron : part.neuron,
    key: part.key < 0 ? edit.key : part.key,
  };
  let total = 0;
  for (const { to, from } of edit.tokens) {
    invariant(to === from, 'only the same position of the source can be estimated');
    if (to < e.tokens) total += read(e, { ...place, token: to }, config);
  }
  return total;
}
