import { ints, type Feed } from './compiler.ts';

/** Rows of one run inside a packed sequence: tokens `from` … `to` (inclusive) at rows `row` …. */
export interface PackedRun {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  /** Row in the cache (or in the packed sequence, with `prefixPacked`) of token 0 of the run it continues. */
  readonly prefixRow: number;
}

const BEYOND = 2 ** 30;

/** A fresh feed per call: the runtime reads it during the run only. */
export interface IndexFeeds {
  readonly q_index: Feed;
  readonly q_position: Feed;
  readonly kv_index: Feed;
  readonly kv_position: Feed;
  readonly out_index: Feed;
}

/** Keys of a run: its prefix's rows before `from`, its own rows from there. Writes into row `v` of [V, S]. */
function writeKeys(
  index: Int32Array,
  position: Int32Array,
  v: number,
  S: number,
  run: PackedRun,
  packedBase: number,
): void {
  for (let t = 0; t < S; t++) {
    const at = v * S + t;
    if (t > run.to) {
      position[at] = BEYOND;
    } else {
      index[at] = t < run.from ? run.prefixRow + t : packedBase + run.row + (t - run.from);
      position[at] = t;
    }
  }
}

/** Indices for a block over whole runs; `cacheRows` is the number of cached rows that precede the packed ones. */
export function walkIndex(runs: readonly PackedRun[], cacheRows: number): IndexFeeds {
  const V = runs.length;
  const n = Math.max(...runs.map((r) => r.to - r.from + 1));
  const S = Math.max(...runs.map((r) => r.to + 1));
  const N = runs.reduce((s, r) => s + r.to - r.from + 1, 0);
  const q = new Int32Array(V * n);
  const qp = new Int32Array(V * n);
  const kv = new Int32Array(V * S);
  const kp = new Int32Array(V * S);
  const out = new Int32Array(N);
  runs.forEach((run, v) => {
    for (let i = 0; i <= run.to - run.from; i++) {
      q[v * n + i] = run.row + i;
      qp[v * n + i] = run.from + i;
      out[run.row + i] = v * n + i;
    }
    writeKeys(kv, kp, v, S, run, cacheRows);
  });
  return {
    q_index: ints(q, [V, n]),
    q_position: ints(qp, [V, n]),
    kv_index: ints(kv, [V, S]),
    kv_position: ints(kp, [V, S]),
    out_index: ints(out, [N]),
  };
}

/** Indices for the last block: one query a run, at its last token. */
export function lastIndex(
  runs: readonly PackedRun[],
  cacheRows: number,
): IndexFeeds & { readonly read_index: Feed } {
  const V = runs.length;
  const S = Math.max(...runs.map((r) => r.to + 1));
  const each = Int32Array.from(runs, (_, v) => v);
  const kv = new Int32Array(V * S);
  const kp = new Int32Array(V * S);
  runs.forEach((run, v) => writeKeys(kv, kp, v, S, run, cacheRows));
  return {
    q_index: ints(each, [V, 1]),
    q_position: ints(
      Int32Array.from(runs, (r) => r.to),
      [V, 1],
    ),
    kv_index: ints(kv, [V, S]),
    kv_position: ints(kp, [V, S]),
    out_index: ints(each, [V]),
    read_index: ints(
      Int32Array.from(runs, (r) => r.row + r.to - r.from),
      [V],
    ),
  };
}
