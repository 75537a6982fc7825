import { invariant } from '../../../shared/errors/index.ts';
import type { Direction } from '../../../shared/domain/index.ts';
import { floats, ints, type Feed } from './compiler.ts';
import { lastIndex, walkIndex, type PackedRun } from './packing.ts';
import type { PatchSessions } from './sessions.ts';
import { firstDifference } from './plan.ts';
import type { Recorded } from './sites.ts';
import type { PatchPair } from './types.ts';

/** One unpatched run inside a group: the target (all tokens) or the source (from the first difference on). */
interface BaseRun extends PackedRun {
  readonly index: number;
}

type LayerArrays = Partial<Record<Recorded | 'k' | 'v', Float32Array>>;

/**
 * The unpatched runs of a group of pairs, in one packed sequence: for each pair the target run (the one
 * patched into) and the source run (the one patched from). Before the first difference the source's tokens
 * are the target's, so only the rest is computed.
 */
export class Baseline {
  readonly rows: number;
  readonly #d: number;
  readonly #layers: LayerArrays[];
  readonly #targets: readonly BaseRun[];
  readonly #sources: readonly BaseRun[];
  /** [runs, d] normalised final rows at the read positions. */
  readonly finals: Float32Array;

  constructor(
    d: number,
    rows: number,
    layers: LayerArrays[],
    targets: BaseRun[],
    sources: BaseRun[],
    finals: Float32Array,
  ) {
    this.#d = d;
    this.rows = rows;
    this.#layers = layers;
    this.#targets = targets;
    this.#sources = sources;
    this.finals = finals;
  }

  /** Cached keys and values of every run at a layer, [rows, d]. */
  cache(layer: number): { k: Feed; v: Feed } {
    const dims = [this.rows, this.#d];
    return { k: floats(this.#array(layer, 'k'), dims), v: floats(this.#array(layer, 'v'), dims) };
  }

  #array(layer: number, name: Recorded | 'k' | 'v'): Float32Array {
    const array = this.#layers[layer]?.[name];
    invariant(array !== undefined, `${name} of layer ${layer} was not recorded`);
    return array;
  }

  /** Row of the cache at which the pair's target run begins. */
  prefixRow(pair: number): number {
    return this.#run(pair, 'target').row;
  }

  #run(pair: number, side: 'target' | 'source'): BaseRun {
    const run = (side === 'target' ? this.#targets : this.#sources)[pair];
    invariant(run !== undefined, `pair ${pair} is not in the group`);
    return run;
  }

  /** A recorded row of width d. In the last block everything but `x` exists at the read position only. */
  row(pair: number, side: 'target' | 'source', layer: number, name: Recorded, token: number): Float32Array {
    let run = this.#run(pair, side);
    if (token < run.from) run = this.#run(pair, 'target');
    const last = layer === this.#layers.length - 1 && name !== 'x';
    const r = last ? run.index : run.row + token - run.from;
    return this.#array(layer, name).subarray(r * this.#d, (r + 1) * this.#d);
  }

  finalRow(pair: number, side: 'target' | 'source'): Float32Array {
    const r = this.#run(pair, side).index;
    return this.finals.subarray(r * this.#d, (r + 1) * this.#d);
  }
}

const EMPTY = (d: number): Feed => floats(new Float32Array(0), [0, d]);

/** Runs target and source of every pair once and records what the entries of the task need. */
export async function runBaseline(
  sessions: PatchSessions,
  pairs: readonly PatchPair[],
  direction: Direction,
  record: ReadonlySet<Recorded>,
  check: () => void,
): Promise<Baseline> {
  const { dModel: d, nLayer: L } = sessions.config;
  const targets: BaseRun[] = [];
  const sources: BaseRun[] = [];
  const ids: number[] = [];
  const positions: number[] = [];
  const runs: BaseRun[] = [];
  const append = (prompt: readonly number[], from: number, to: number, prefixRow: number): BaseRun => {
    const run = { row: ids.length, from, to, prefixRow, index: runs.length };
    for (let t = from; t <= to; t++) {
      ids.push(prompt[t] ?? 0);
      positions.push(t);
    }
    runs.push(run);
    return run;
  };
  for (const pair of pairs) {
    const [target, source] =
      direction === 'denoising' ? [pair.corrupted, pair.clean] : [pair.clean, pair.corrupted];
    const base = append(target, 0, pair.read, 0);
    targets.push(base);
    // Where nothing differs up to the read position the source run is the target run.
    const first = Math.min(firstDifference(pair), pair.read);
    sources.push(append(source, first, pair.read, base.row));
  }
  const N = ids.length;
  const embed = await sessions.embed();
  let { x } = await embed.run({ ids: ints(ids, [N]), positions: ints(positions, [N]) }, ['x']);
  invariant(x !== undefined, 'the embedding gives x');

  const layers: LayerArrays[] = [];
  const wanted = [...record].filter((name) => name !== 'x');
  const none = {
    cache_k: EMPTY(d),
    cache_v: EMPTY(d),
    z_extra: EMPTY(d),
    z_resid: EMPTY(d),
    mid_extra: EMPTY(d),
  };
  const index = walkIndex(runs, 0);
  for (let layer = 0; layer < L - 1; layer++) {
    check();
    const session = await sessions.walk(layer);
    const out = await session.run({ x: floats(x, [N, d]), ...none, ...index }, ['y', 'k', 'v', ...wanted]);
    layers.push({ ...out, x });
    const { y } = out;
    invariant(y !== undefined, 'a block gives y');
    x = y;
  }
  check();
  const last = await sessions.last();
  const out = await last.run({ x: floats(x, [N, d]), ...none, post_extra: EMPTY(d), ...lastIndex(runs, 0) }, [
    'h',
    'k',
    'v',
    ...wanted,
  ]);
  layers.push({ ...out, x });
  const { h } = out;
  invariant(h !== undefined, 'the last block gives h');
  return new Baseline(d, N, layers, targets, sources, h);
}
