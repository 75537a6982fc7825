import { z } from 'zod';
import type { SweepId } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { json, query } from '../rows.ts';
import type { StoreContext } from './base.ts';

/** All effects of one grid of a sweep for one pair, as the compute process delivers them. */
export interface NewBlock {
  /** Index into the sweep's grids. */
  readonly grid: number;
  /** Index into the sweep's inputs. */
  readonly pair: number;
  /** Axes after `pair`, e.g. [layers, positions]. */
  readonly shape: readonly number[];
  /** Per metric of the sweep: metric of the patched run, row-major; NaN where no value exists. */
  readonly raw: readonly Float64Array[];
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** 1 where source equals target by construction. */
  readonly zero: Uint8Array;
  /** 1 where the patch restores the source run by construction. */
  readonly trivial: Uint8Array;
  /** Per metric: SD of `raw` over draws of noise, whose mean it then is. */
  readonly drawSd?: readonly Float64Array[] | undefined;
}

/** One metric of one block. */
export interface StoredBlock {
  readonly pair: number;
  readonly shape: readonly number[];
  readonly raw: Float64Array;
  /** NaN where the metric has no value. */
  readonly clean: number;
  readonly corrupted: number;
  readonly zero: Uint8Array;
  readonly trivial: Uint8Array;
  /** Null without noise. */
  readonly drawSd: Float64Array | null;
}

export interface BlockRepository {
  /** Stores a block in one transaction; a block already there is replaced (the same content on resume). */
  store(sweepId: SweepId, block: NewBlock): void;
  /** One grid × metric over all stored pairs, in the order of the pairs. */
  read(sweepId: SweepId, grid: number, metric: number): StoredBlock[];
  /** Keys of stored blocks, `grid index:pair index`, for skipping on resume. */
  done(sweepId: SweepId): string[];
  count(sweepId: SweepId): number;
}

const bytes = z.instanceof(Uint8Array);
const real = z
  .number()
  .nullable()
  .transform((n) => n ?? Number.NaN);
const Row = z.object({
  pair_index: z.number(),
  shape: json(z.array(z.number().int().nonnegative())),
  raw: bytes,
  clean: real,
  corrupted: real,
  zero: bytes,
  trivial: bytes,
  draw_sd: bytes.nullable(),
});

export function createBlockRepository({ db }: StoreContext): BlockRepository {
  const insertBlock = db.prepare(
    `INSERT INTO sweep_block (sweep_id, grid_index, pair_index, shape, zero, trivial) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET shape = excluded.shape, zero = excluded.zero, trivial = excluded.trivial`,
  );
  const insertValue = db.prepare(
    `INSERT INTO sweep_value (sweep_id, grid_index, pair_index, metric_index, clean, corrupted, raw, draw_sd)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET clean = excluded.clean, corrupted = excluded.corrupted, raw = excluded.raw,
       draw_sd = excluded.draw_sd`,
  );
  const select = query<[number, number, number], typeof Row>(
    db,
    `SELECT b.pair_index, b.shape, v.raw, v.draw_sd, v.clean, v.corrupted, b.zero, b.trivial
     FROM sweep_block b JOIN sweep_value v
       ON v.sweep_id = b.sweep_id AND v.grid_index = b.grid_index AND v.pair_index = b.pair_index
     WHERE b.sweep_id = ? AND b.grid_index = ? AND v.metric_index = ? ORDER BY b.pair_index`,
    Row,
  );
  const selectDone = db
    .prepare<[number], string>(
      `SELECT grid_index || ':' || pair_index FROM sweep_block WHERE sweep_id = ?
       ORDER BY grid_index, pair_index`,
    )
    .pluck();
  const selectCount = db
    .prepare<[number], number>('SELECT count(*) FROM sweep_block WHERE sweep_id = ?')
    .pluck();

  return {
    store: (sweepId, block) => {
      const size = block.shape.reduce((a, b) => a * b, 1);
      invariant(
        block.zero.length === size && block.trivial.length === size,
        `block ${block.grid}:${block.pair} has ${block.zero.length} states for ${size} sites`,
      );
      db.transaction(() => {
        insertBlock.run(
          sweepId,
          block.grid,
          block.pair,
          JSON.stringify(block.shape),
          packBits(block.zero),
          packBits(block.trivial),
        );
        block.raw.forEach((values, metric) => {
          invariant(values.length === size, `metric ${metric} has ${values.length} values for ${size} sites`);
          insertValue.run(
            sweepId,
            block.grid,
            block.pair,
            metric,
            block.clean[metric] ?? Number.NaN,
            block.corrupted[metric] ?? Number.NaN,
            toBytes(values),
            block.drawSd?.[metric] === undefined ? null : toBytes(block.drawSd[metric]),
          );
        });
      })();
    },
    read: (sweepId, grid, metric) =>
      select.all(sweepId, grid, metric).map((row) => {
        const raw = toDoubles(row.raw);
        return {
          pair: row.pair_index,
          shape: row.shape,
          raw,
          clean: row.clean,
          corrupted: row.corrupted,
          zero: unpackBits(row.zero, raw.length),
          trivial: unpackBits(row.trivial, raw.length),
          drawSd: row.draw_sd === null ? null : toDoubles(row.draw_sd),
        };
      }),
    done: (sweepId) => selectDone.all(sweepId),
    count: (sweepId) => selectCount.get(sweepId) ?? 0,
  };
}

/** Doubles from bytes at any alignment. Little-endian, as on every platform Engram runs on. */
function toDoubles(blob: Uint8Array): Float64Array {
  return new Float64Array(new Uint8Array(blob).buffer);
}

function toBytes(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function packBits(states: Uint8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(states.length / 8));
  states.forEach((state, i) => {
    if (state !== 0) packed[i >> 3] = (packed[i >> 3] ?? 0) | (1 << (i & 7));
  });
  return packed;
}

function unpackBits(packed: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => ((packed[i >> 3] ?? 0) >> (i & 7)) & 1);
}
