import { invariant } from '../../../shared/errors/index.ts';
import type { Baseline } from './baseline.ts';
import { floats, type Feed } from './compiler.ts';
import { lastIndex, walkIndex, type PackedRun } from './packing.ts';
import type { Variant } from './plan.ts';
import type { PatchSessions } from './sessions.ts';
import type { Entry } from './sites.ts';

/** A variant of one pair of the group, ready to be packed. */
export interface WalkItem {
  readonly variant: Variant;
  /** Index of the pair in the group. */
  readonly pair: number;
  readonly read: number;
}

/** Rows of width d in one growing buffer. */
class Rows {
  readonly #d: number;
  #data: Float32Array;
  count = 0;

  constructor(d: number, capacity: number) {
    this.#d = d;
    this.#data = new Float32Array(Math.max(1, capacity) * d);
  }

  push(row: Float32Array): void {
    if ((this.count + 1) * this.#d > this.#data.length) {
      const grown = new Float32Array(this.#data.length * 2);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(row, this.count * this.#d);
    this.count++;
  }

  /** Takes over the first `rows` rows of a result. */
  take(result: Float32Array, rows: number): void {
    while (rows * this.#d > this.#data.length) this.#data = new Float32Array(this.#data.length * 2);
    this.#data.set(result.subarray(0, rows * this.#d));
    this.count = rows;
  }

  feed(): Feed {
    return floats(this.#data.subarray(0, this.count * this.#d), [this.count, this.#d]);
  }
}

/** The row an entry leaves at a token (METHODS section 1: one activation from the source into the target). */
function entryRow(entry: Entry, base: Baseline, pair: number, token: number, dh: number): Float32Array {
  const L = entry.layer;
  const source = (name: 'x' | 'mid' | 'attn_out' | 'mlp_out' | 'z', layer: number): Float32Array =>
    base.row(pair, 'source', layer, name, token);
  const target = (name: 'x' | 'mid' | 'z', layer: number): Float32Array =>
    base.row(pair, 'target', layer, name, token);
  switch (entry.take) {
    case 'source-x':
      return source('x', L);
    case 'source-mid':
      return source('mid', L);
    case 'target-x+source-attn':
      return sum(target('x', L), source('attn_out', L));
    case 'target-mid+source-mlp':
      return sum(target('mid', L - 1), source('mlp_out', L - 1));
    case 'head-z': {
      const z = target('z', L).slice();
      const from = entry.head * dh;
      z.set(source('z', L).subarray(from, from + dh), from);
      return z;
    }
  }
}

function sum(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((v, i) => v + (b[i] ?? 0));
}

interface Entering {
  readonly item: number;
  readonly tokens: readonly number[];
}

/**
 * Carries every item through the layers in one packed batch: at its entry layer a patched run joins with
 * only the tokens from its first patched one on, and attends to the target's cached keys and values for
 * the tokens before. Returns the normalised final rows at the read position, [items, d].
 */
export async function walk(
  sessions: PatchSessions,
  base: Baseline,
  items: readonly WalkItem[],
  check: () => void,
): Promise<Float32Array> {
  const { dModel: d, nLayer: L, nHead } = sessions.config;
  const dh = d / nHead;
  const at = (i: number): WalkItem => {
    const item = items[i];
    invariant(item !== undefined, `no item ${i}`);
    return item;
  };
  const byStage = (stage: Entry['stage'], layer: number): number[] =>
    items.flatMap((it, i) =>
      it.variant.entry.stage === stage && it.variant.entry.layer === layer ? [i] : [],
    );
  const firstLayer = Math.min(...items.map((it) => it.variant.entry.layer));

  const capacity = items.reduce((s, it) => s + it.read - it.variant.start + 1, 0);
  let x = new Rows(d, capacity);
  /** Items in the order of their rows, and where each begins. */
  const active: { item: number; run: PackedRun }[] = [];
  /** Rows that left the block as extras and join the next one: item → token → row. */
  let leaving = new Map<number, Map<number, Float32Array>>();

  const join = (i: number, patched: (token: number) => Float32Array | undefined, layer: number): void => {
    const { variant, pair, read } = at(i);
    active.push({
      item: i,
      run: { row: x.count, from: variant.start, to: read, prefixRow: base.prefixRow(pair) },
    });
    for (let t = variant.start; t <= read; t++) x.push(patched(t) ?? base.row(pair, 'target', layer, 'x', t));
  };
  const joinAt = (layer: number): void => {
    for (const [i, rows] of leaving) join(i, (t) => rows.get(t), layer);
    leaving = new Map();
    for (const i of byStage('x', layer)) {
      const { variant, pair } = at(i);
      const patched = new Set(variant.positions);
      join(i, (t) => (patched.has(t) ? entryRow(variant.entry, base, pair, t, dh) : undefined), layer);
    }
  };
  const extras = (stage: 'z' | 'mid', layer: number): { feed: Feed; resid: Feed; entering: Entering[] } => {
    const rows = new Rows(d, 16);
    const resid = new Rows(d, 16);
    const entering = byStage(stage, layer).map((item) => {
      const { variant, pair } = at(item);
      for (const t of variant.positions) {
        rows.push(entryRow(variant.entry, base, pair, t, dh));
        if (stage === 'z') resid.push(base.row(pair, 'target', layer, 'x', t));
      }
      return { item, tokens: variant.positions };
    });
    return { feed: rows.feed(), resid: resid.feed(), entering };
  };

  for (let layer = firstLayer; layer < L - 1; layer++) {
    joinAt(layer);
    const z = extras('z', layer);
    const mid = extras('mid', layer);
    if (active.length + z.entering.length + mid.entering.length === 0) continue;
    check();
    const cache = base.cache(layer);
    const runs = active.length > 0 ? active.map((a) => a.run) : [idleRun()];
    if (active.length === 0) x.push(new Float32Array(d));
    const packed = x.count;
    const session = await sessions.walk(layer);
    const { y } = await session.run(
      {
        x: x.feed(),
        cache_k: cache.k,
        cache_v: cache.v,
        z_extra: z.feed,
        z_resid: z.resid,
        mid_extra: mid.feed,
        ...walkIndex(runs, base.rows),
      },
      ['y'],
    );
    invariant(y !== undefined, 'a block gives y');
    let row = packed;
    for (const { item, tokens } of [...z.entering, ...mid.entering]) {
      const rows = new Map<number, Float32Array>();
      for (const t of tokens) {
        rows.set(t, y.subarray(row * d, (row + 1) * d));
        row++;
      }
      leaving.set(item, rows);
    }
    if (active.length === 0) x = new Rows(d, capacity);
    else x.take(y, packed);
  }

  joinAt(L - 1);
  check();
  return finish(
    sessions,
    base,
    items,
    active,
    x,
    extras,
    byStage('x', L).map((item) => ({
      item,
      row: entryRow(at(item).variant.entry, base, at(item).pair, at(item).read, dh),
    })),
  );
}

/** A run of one row of zeros, where a block has only extra rows to compute. */
function idleRun(): PackedRun {
  return { row: 0, from: 0, to: 0, prefixRow: 0 };
}

async function finish(
  sessions: PatchSessions,
  base: Baseline,
  items: readonly WalkItem[],
  active: readonly { item: number; run: PackedRun }[],
  x: Rows,
  extras: (stage: 'z' | 'mid', layer: number) => { feed: Feed; resid: Feed; entering: Entering[] },
  after: readonly { item: number; row: Float32Array }[],
): Promise<Float32Array> {
  const { dModel: d, nLayer: L } = sessions.config;
  const z = extras('z', L - 1);
  const mid = extras('mid', L - 1);
  const post = new Rows(d, after.length);
  for (const { row } of after) post.push(row);
  const idle = active.length === 0;
  if (idle) x.push(new Float32Array(d));
  const runs = idle ? [idleRun()] : active.map((a) => a.run);
  const cache = base.cache(L - 1);
  const last = await sessions.last();
  const { h } = await last.run(
    {
      x: x.feed(),
      cache_k: cache.k,
      cache_v: cache.v,
      z_extra: z.feed,
      z_resid: z.resid,
      mid_extra: mid.feed,
      post_extra: post.feed(),
      ...lastIndex(runs, base.rows),
    },
    ['h'],
  );
  invariant(h !== undefined, 'the last block gives h');
  const order = [
    ...(idle ? [-1] : active.map((a) => a.item)),
    ...[...z.entering, ...mid.entering].map((e) => e.item),
    ...after.map((a) => a.item),
  ];
  const finals = new Float32Array(items.length * d);
  order.forEach((item, r) => {
    if (item >= 0) finals.set(h.subarray(r * d, (r + 1) * d), item * d);
  });
  return finals;
}
