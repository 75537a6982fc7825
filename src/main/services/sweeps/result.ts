import type {
  Direction,
  HookGrid,
  MetricName,
  PatchEffects,
  PatchResult,
  PatchSummary,
} from '../../../shared/domain/index.ts';
import type { PatchBlock, PatchPair } from '../../runtime/api.ts';
import { BLOCK_AXES, cellMap, commonShape } from './layout.ts';
import { pairRecovery, ratioOfMeans, type Measured } from '../../engine/stats/index.ts';
import type { PositionView } from './positions.ts';

export interface ResultInput {
  readonly pairs: readonly PatchPair[];
  readonly grids: readonly HookGrid[];
  readonly metrics: readonly MetricName[];
  readonly direction: Direction;
  readonly epsilon: number;
  /** Blocks in any order; a missing one leaves nulls. */
  readonly blocks: readonly PatchBlock[];
  /** What becomes of the position axis, per grid. */
  readonly views: readonly PositionView[];
}

export type ResultNumbers = Pick<PatchResult, 'pairs' | 'baselines' | 'effects' | 'summary'>;

/**
 * Blocks as the result format of `engram patch`: one entry per hook and metric over pair and site axes,
 * the two baselines of every pair, and the ratio of means over pairs.
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

function baselines(input: ResultInput): PatchResult['baselines'] {
  return input.metrics.flatMap((metric, m) =>
    input.pairs.flatMap((pair, index) => {
      const block = input.blocks.find((b) => b.pair === index);
      const clean = block?.clean[m];
      const corrupted = block?.corrupted[m];
      return clean === undefined || corrupted === undefined
        ? []
        : [{ metric, pair: pair.id, clean, corrupted }];
    }),
  );
}

function gridEntries(
  input: ResultInput,
  grid: HookGrid,
  index: number,
): { effects: PatchEffects; summary: PatchSummary }[] {
  const view = input.views[index] ?? { kind: 'each' };
  const byPair = new Map(
    input.blocks
      .filter((b) => b.grid === index)
      .map((block) => {
        const pair = input.pairs[block.pair];
        return [
          block.pair,
          pair === undefined ? block : view.kind === 'each' ? block : view.select(block, pair),
        ];
      }),
  );
  const axes = view.kind === 'each' ? BLOCK_AXES[grid.axes] : view.axes(BLOCK_AXES[grid.axes]);
  const shape = commonShape([...byPair.values()].map((block) => block.shape));
  const maps = input.pairs.map((_, p) => {
    const block = byPair.get(p);
    return block === undefined ? null : { block, map: cellMap(shape, block.shape) };
  });
  /** Per pair and cell: 1 or 0 as a truth value, null where the pair has no such cell. */
  const flags = (of: (block: PatchBlock) => Uint8Array): (boolean | null)[] =>
    maps.flatMap((entry) =>
      cells(shape, (c) => {
        const flag = entry === null ? Number.NaN : valueAt(of(entry.block), entry.map, c);
        return Number.isNaN(flag) ? null : flag === 1;
      }),
    );
  const zero = flags((b) => b.zero);
  const trivial = flags((b) => b.trivial);
  const allTrivial = trivial.includes(true) && !trivial.includes(false);

  return input.metrics.map((metric, m) => {
    const measured = maps.map((entry) =>
      cells(shape, (c): Measured => ({
        raw: entry === null ? Number.NaN : valueAt(entry.block.raw[m], entry.map, c),
        clean: entry?.block.clean[m] ?? Number.NaN,
        corrupted: entry?.block.corrupted[m] ?? Number.NaN,
      })),
    );
    return {
      effects: {
        hook: grid.hook,
        metric,
        axes: ['pair', ...axes],
        shape: [input.pairs.length, ...shape],
        raw: measured.flat().map((v) => (Number.isFinite(v.raw) ? v.raw : null)),
        normalized: measured.flat().map((v) => pairRecovery(input.direction, v, input.epsilon)),
        structural_zero: zero,
        ...(allTrivial ? { trivial: true as const } : {}),
        ...(trivial.includes(true) && !allTrivial ? { trivial_sites: trivial } : {}),
      },
      summary: {
        hook: grid.hook,
        metric,
        axes: [...axes],
        shape: [...shape],
        recovery: cells(shape, (c) =>
          ratioOfMeans(
            input.direction,
            measured.flatMap((row) => row.slice(c, c + 1)),
            input.epsilon,
          ),
        ),
      },
    };
  });
}

function cells<T>(shape: readonly number[], of: (cell: number) => T): T[] {
  return Array.from({ length: shape.reduce((n, extent) => n * extent, 1) }, (_, cell) => of(cell));
}

function valueAt(values: Float64Array | Uint8Array | undefined, map: Int32Array, cell: number): number {
  const at = map[cell] ?? -1;
  return at < 0 ? Number.NaN : (values?.[at] ?? Number.NaN);
}
