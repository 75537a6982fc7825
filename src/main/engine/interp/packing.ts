import { ints, type Feed } from './compiler.ts';

/** Rows of one run inside a packed sequence: tokens `from` … `to` (inclusive) at rows `row` …. */
export interface PackedRun {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  /** Row in the cache (or in the packed sequence, with no cache) of token 0 of the run it continues. */
  readonly prefixRow: number;
  /** Positions whose final rows are wanted, ascending; the last is `to`. */
  readonly reads: readonly number[];
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

/** Queries and keys of one packed batch: [V, n] and [V, S]. */
export interface PackedSize {
  readonly queries: number;
  readonly keys: number;
}

export function packedSize(runs: readonly PackedRun[]): PackedSize {
  return {
    queries: Math.max(...runs.map((r) => r.to - r.from + 1)),
    keys: Math.max(...runs.map((r) => r.to + 1)),
  };
}

/** Keys of a run up to a token: its prefix's rows before `from`, its own rows from there. Row `v` of [V, S]. */
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

/** Token position of every packed row, for families that turn queries and keys by it. */
export function rowPositions(runs: readonly PackedRun[]): Feed {
  const positions = runs.flatMap((r) => Array.from({ length: r.to - r.from + 1 }, (_, i) => r.from + i));
  return ints(positions, [positions.length]);
}

/** Indices for a block over whole runs; `cacheRows` is the number of cached rows that precede the packed ones. */
export function walkIndex(runs: readonly PackedRun[], cacheRows: number): IndexFeeds {
  const V = runs.length;
  const { queries: n, keys: S } = packedSize(runs);
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

/** Indices for the last block: one query for every read position at or behind a run's first row. */
export function lastIndex(
  runs: readonly PackedRun[],
  cacheRows: number,
): IndexFeeds & { readonly read_index: Feed } {
  const reads = runs.flatMap((run) => run.reads.filter((t) => t >= run.from).map((t) => ({ run, t })));
  const Q = reads.length;
  const { keys: S } = packedSize(runs);
  const each = Int32Array.from(reads, (_, i) => i);
  const kv = new Int32Array(Q * S);
  const kp = new Int32Array(Q * S);
  reads.forEach(({ run }, i) => writeKeys(kv, kp, i, S, run, cacheRows));
  return {
    q_index: ints(each, [Q, 1]),
    q_position: ints(
      reads.map(({ t }) => t),
      [Q, 1],
    ),
    kv_index: ints(kv, [Q, S]),
    kv_position: ints(kp, [Q, S]),
    out_index: ints(each, [Q]),
    read_index: ints(
      reads.map(({ run, t }) => run.row + t - run.from),
      [Q],
    ),
  };
}
