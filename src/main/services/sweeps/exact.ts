import type { Direction, HookGrid, MetricName } from '../../../shared/domain/index.ts';
import type { PatchVerification } from '../../../shared/domain/index.ts';
import { baseline, rankAgreement, ratioOfMeans, strongest, type Measured } from '../../engine/stats/index.ts';
import type { CallOptions, ComputeApi, PatchBlock, PatchRequest } from '../../runtime/api.ts';
import { cellMap, commonShape, siteAxes, size } from './layout.ts';

/** One grid's blocks on the shape that holds them all. */
interface GridBlocks {
  readonly shape: readonly number[];
  /** With the index of every cell in the block, −1 where the pair has no such cell. */
  readonly blocks: readonly { readonly block: PatchBlock; readonly map: Int32Array }[];
}

function gridBlocks(blocks: readonly PatchBlock[], grid: number): GridBlocks {
  const own = blocks.filter((block) => block.grid === grid);
  const shape = commonShape(own.map((block) => block.shape));
  return { shape, blocks: own.map((block) => ({ block, map: cellMap(shape, block.shape) })) };
}

/** A cell over the pairs that have it. */
function measured({ blocks }: GridBlocks, cell: number, metric: number): Measured[] {
  return blocks.flatMap(({ block, map }) => {
    const raw = block.raw[metric]?.[map[cell] ?? -1];
    const [clean, corrupted] = [block.clean[metric], block.corrupted[metric]];
    return raw === undefined || clean === undefined || corrupted === undefined
      ? []
      : [{ raw, clean, corrupted }];
  });
}

/** Zero or trivial for every pair that has the cell: nothing is to be verified there. */
function settled({ blocks }: GridBlocks, cell: number): boolean {
  return blocks.every(({ block, map }) => {
    const at = map[cell] ?? -1;
    return at < 0 || block.zero[at] === 1 || block.trivial[at] === 1;
  });
}

/**
 * Exact patching of some cells of estimated grids: blocks of the same shapes with NaN elsewhere. `cells` are per
 * grid indices on the common shape of its blocks. Pairs of equal length run together.
 */
export async function patchCells(
  compute: ComputeApi,
  request: PatchRequest,
  estimated: readonly PatchBlock[],
  cells: readonly (readonly number[])[],
  options: CallOptions<PatchBlock> = {},
): Promise<PatchBlock[]> {
  const grids = request.grids.map((_, grid) => gridBlocks(estimated, grid));
  const groups = Map.groupBy(request.pairs.keys(), (p) => lengthKey(request, p));
  const exact: PatchBlock[] = [];
  for (const members of groups.values()) {
    const own = grids.map(({ blocks }, grid) => {
      const map = blocks.find(({ block }) => block.pair === members[0])?.map;
      return (cells[grid] ?? []).flatMap((cell) => ((map?.[cell] ?? -1) < 0 ? [] : [map?.[cell] ?? 0]));
    });
    const pairs = members.flatMap((p) => request.pairs.slice(p, p + 1));
    const { done: _done, ...rest } = request;
    await compute.patch(
      { ...rest, pairs, cells: own },
      {
        ...options,
        onEvent: (block) => {
          const whole = { ...block, pair: members[block.pair] ?? block.pair };
          exact.push(whole);
          options.onEvent?.(whole);
        },
      },
    );
  }
  return exact;
}

const lengthKey = ({ pairs }: PatchRequest, pair: number): string =>
  `${pairs[pair]?.clean.length ?? 0}:${pairs[pair]?.corrupted.length ?? 0}`;

export interface VerifyInput {
  readonly request: PatchRequest;
  readonly epsilon: number;
  /** Sites of each grid to verify. */
  readonly k: number;
  readonly estimated: readonly PatchBlock[];
}

/**
 * "AtP, then verify the top k exactly": patches the k sites of each grid that were estimated to matter most (by the
 * absolute headline recovery of the first metric; structural zeros and trivial sites excluded) and says how
 * estimates and exact effects agree.
 */
export async function verifyTop(
  compute: ComputeApi,
  { request, epsilon, k, estimated }: VerifyInput,
  options: CallOptions<PatchBlock> = {},
): Promise<PatchVerification[]> {
  const { grids, metrics, direction } = request;
  const before = grids.map((_, grid) => gridBlocks(estimated, grid));
  const chosen = before.map((own) => {
    const recovery = Array.from({ length: own.blocks.length === 0 ? 0 : size(own.shape) }, (_, cell) =>
      settled(own, cell) ? null : ratioOfMeans(direction, measured(own, cell, 0), epsilon),
    );
    return strongest(recovery, k);
  });
  const exact = await patchCells(compute, request, estimated, chosen, options);
  return grids.flatMap((grid, g) => {
    const own = before[g];
    return own === undefined
      ? []
      : metrics.map((metric, m) =>
          compared(grid, metric, {
            direction,
            epsilon,
            cells: chosen[g] ?? [],
            shape: own.shape,
            estimated: (cell) => measured(own, cell, m),
            exact: (cell) => measured(gridBlocks(exact, g), cell, m),
          }),
        );
  });
}

interface Both {
  readonly direction: Direction;
  readonly epsilon: number;
  readonly cells: readonly number[];
  readonly shape: readonly number[];
  readonly estimated: (cell: number) => readonly Measured[];
  readonly exact: (cell: number) => readonly Measured[];
}

function compared(grid: HookGrid, metric: MetricName, both: Both): PatchVerification {
  const { direction, epsilon, cells, shape } = both;
  const sites = cells.map((cell) => {
    const [estimated, exact] = [both.estimated(cell), both.exact(cell)];
    return {
      at: coordinates(cell, shape),
      estimated: ratioOfMeans(direction, estimated, epsilon),
      exact: ratioOfMeans(direction, exact, epsilon),
      effects: [meanEffect(direction, estimated), meanEffect(direction, exact)] as const,
    };
  });
  const agreement = rankAgreement(
    sites.map(({ effects }) => effects[0]),
    sites.map(({ effects }) => effects[1]),
  );
  return {
    hook: grid.hook,
    metric,
    axes: siteAxes(grid),
    n: agreement.n,
    spearman: agreement.spearman,
    kendall: agreement.kendall,
    same_sign: agreement.sameSign,
    overlap: agreement.overlap,
    largest_error: agreement.largestError,
    sites: sites.map(({ at, estimated, exact }) => ({ at, estimated, exact })),
  };
}

function meanEffect(direction: Direction, values: readonly Measured[]): number {
  return values.reduce((sum, v) => sum + v.raw - baseline(direction, v), 0) / values.length;
}

function coordinates(cell: number, shape: readonly number[]): number[] {
  let rest = cell;
  return shape
    .toReversed()
    .map((extent) => {
      const at = rest % extent;
      rest = (rest - at) / extent;
      return at;
    })
    .toReversed();
}
