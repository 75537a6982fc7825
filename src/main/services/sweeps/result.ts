import type {
  Direction,
  HookGrid,
  MetricName,
  PatchEffects,
  PatchResult,
  PatchSummary,
} from '../../../shared/domain/index.ts';
import type { PatchBlock, PatchPair } from '../../runtime/api.ts';
import { cellMap, commonShape, siteAxes } from './layout.ts';
import { pairRecovery, ratioOfMeans, type Measured } from '../../engine/stats/index.ts';

export interface ResultInput {
  readonly pairs: readonly PatchPair[];
  readonly grids: readonly HookGrid[];
  readonly metrics: readonly MetricName[];
  readonly direction: Direction;
  /** |clean − corrupted| of a metric below which a ratio is null. */
  readonly smallestGap: (metric: MetricName) => number;
  /** Blocks in any order; a missing one leaves nulls. */
  readonly blocks: readonly PatchBlock[];
  /** Draws of Gaussian noise; absent without noise, and then there is no axis for them. */
  readonly draws?: number | undefined;
}

export type ResultNumbers = Pick<PatchResult, 'pairs' | 'baselines' | 'effects' | 'summary'>;

/**
 * Blocks as the result format of `engram patch`: one entry per hook and metric over pair (draw) and site
 * axes, the two baselines of every pair, and the ratio of means over pairs, of the mean over draws.
 */
export function assembleResult(input: ResultInput): ResultNumbers {
  const entries = input.grids.flatMap((grid, index) => gridEntries(input, grid, index));
  return {
    pairs: input.pairs.map((p) => ({ id: p.id, clean_ids: [...p.clean], corrupted_ids: [...p.corrupted] })),
    baselines: baselines(input),
    effects: entries.map((entry) => entry.effects),
    summary: entries.map((entry) => entry.summary),
  };
}

const drawsOf = (input: ResultInput): number[] => Array.from({ length: input.draws ?? 1 }, (_, draw) => draw);

function baselines(input: ResultInput): PatchResult['baselines'] {
  return input.metrics.flatMap((metric, m) =>
    input.pairs.flatMap((pair, index) =>
      drawsOf(input).flatMap((draw) => {
        const block = input.blocks.find((b) => b.pair === index && b.draw === draw);
        const clean = block?.clean[m];
        const corrupted = block?.corrupted[m];
        return clean === undefined || corrupted === undefined
          ? []
          : [
              {
                metric,
                pair: pair.id,
                ...(input.draws === undefined ? {} : { draw }),
                clean,
                corrupted,
                ...(Math.abs(clean - corrupted) >= input.smallestGap(metric)
                  ? {}
                  : { small_gap: true as const }),
              },
            ];
      }),
    ),
  );
}

function gridEntries(
  input: ResultInput,
  grid: HookGrid,
  index: number,
): { effects: PatchEffects; summary: PatchSummary }[] {
  const own = input.blocks.filter((b) => b.grid === index);
  const byRun = new Map(own.map((block) => [`${block.pair}:${block.draw}`, block]));
  const axes = siteAxes(grid);
  const shape = own.length === 0 ? axes.map(() => 0) : commonShape(own.map((block) => block.shape));
  const drawn = drawsOf(input);
  /** Pair by pair, draw by draw. */
  const maps = input.pairs.map((_, p) =>
    drawn.map((draw) => {
      const block = byRun.get(`${p}:${draw}`);
      return block === undefined ? null : { block, map: cellMap(shape, block.shape) };
    }),
  );
  /** Per run and cell: 1 or 0 as a truth value, null where the pair has no such cell. */
  const flags = (of: (block: PatchBlock) => Uint8Array): (boolean | null)[] =>
    maps.flat().flatMap((entry) =>
      cells(shape, (c) => {
        const flag = entry === null ? Number.NaN : valueAt(of(entry.block), entry.map, c);
        return Number.isNaN(flag) ? null : flag === 1;
      }),
    );
  const zero = flags((b) => b.zero);
  const trivial = flags((b) => b.trivial);
  const allTrivial = trivial.includes(true) && !trivial.includes(false);
  const withDraws = input.draws !== undefined;

  return input.metrics.map((metric, m) => {
    const epsilon = input.smallestGap(metric);
    const measured = maps.map((runs) =>
      runs.map((entry) =>
        cells(shape, (c): Measured => ({
          raw: entry === null ? Number.NaN : valueAt(entry.block.raw[m], entry.map, c),
          clean: entry?.block.clean[m] ?? Number.NaN,
          corrupted: entry?.block.corrupted[m] ?? Number.NaN,
        })),
      ),
    );
    const each = measured.flat(2);
    return {
      effects: {
        hook: grid.hook,
        metric,
        ...(grid.sites === undefined ? {} : { sites: grid.sites }),
        ...(grid.window === undefined ? {} : { window: grid.window }),
        ...placesOf(grid),
        ...(grid.spans === undefined ? {} : { spans: grid.spans }),
        ...(grid.neurons === undefined ? {} : { neurons: grid.neurons }),
        axes: withDraws ? ['pair', 'draw', ...axes] : ['pair', ...axes],
        shape: withDraws ? [input.pairs.length, drawn.length, ...shape] : [input.pairs.length, ...shape],
        raw: each.map((v) => (Number.isFinite(v.raw) ? v.raw : null)),
        normalized: each.map((v) => pairRecovery(input.direction, v, epsilon)),
        epsilon,
        structural_zero: zero,
        ...(allTrivial ? { trivial: true as const } : {}),
        ...(trivial.includes(true) && !allTrivial ? { trivial_sites: trivial } : {}),
      },
      summary: {
        hook: grid.hook,
        metric,
        ...(grid.sites === undefined ? {} : { sites: grid.sites }),
        ...(grid.window === undefined ? {} : { window: grid.window }),
        ...placesOf(grid),
        axes: [...axes],
        shape: [...shape],
        recovery: cells(shape, (c) =>
          ratioOfMeans(
            input.direction,
            measured.map((runs) => meanOfDraws(runs.flatMap((run) => run.slice(c, c + 1)))),
            epsilon,
          ),
        ),
        epsilon,
        ...(withDraws
          ? {
              draw_sd: cells(shape, (c) =>
                meanSpread(measured.map((runs) => runs.flatMap((run) => run[c]?.raw ?? []))),
              ),
            }
          : {}),
      },
    };
  });
}

/** Draws are averaged before anything else: they are not samples (METHODS section 2). */
function meanOfDraws(draws: readonly Measured[]): Measured {
  const mean = (of: (v: Measured) => number): number =>
    draws.reduce((sum, v) => sum + of(v), 0) / draws.length;
  return { raw: mean((v) => v.raw), clean: mean((v) => v.clean), corrupted: mean((v) => v.corrupted) };
}

/** Standard deviation of the raw metric over a pair's draws (n − 1), averaged over pairs; null for one draw. */
function meanSpread(pairs: readonly (readonly number[])[]): number | null {
  const spreads = pairs.flatMap((draws) => {
    if (draws.length < 2 || draws.some((v) => !Number.isFinite(v))) return [];
    const mean = draws.reduce((sum, v) => sum + v, 0) / draws.length;
    return [Math.sqrt(draws.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (draws.length - 1))];
  });
  return spreads.length === 0 ? null : spreads.reduce((sum, v) => sum + v, 0) / spreads.length;
}

/** Where a grid names them: the place patched, and the place of the source run that is pasted there. */
function placesOf({ at, from }: HookGrid): Pick<PatchEffects, 'from' | 'to'> {
  if (at === undefined) return {};
  return { ...(from === undefined ? {} : { from }), to: at };
}

function cells<T>(shape: readonly number[], of: (cell: number) => T): T[] {
  return Array.from({ length: shape.reduce((n, extent) => n * extent, 1) }, (_, cell) => of(cell));
}

function valueAt(values: Float64Array | Uint8Array | undefined, map: Int32Array, cell: number): number {
  const at = map[cell] ?? -1;
  return at < 0 ? Number.NaN : (values?.[at] ?? Number.NaN);
}
