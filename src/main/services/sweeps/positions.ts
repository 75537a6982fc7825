import {
  hookInfo,
  resolveHook,
  type GridAxes,
  type HookGrid,
  type HookName,
  type PairLine,
  HOOKS,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { PatchBlock, PatchPair } from '../../runtime/api.ts';
import { size, type SiteAxis } from './layout.ts';

/** What becomes of the position axis of a grid in a result. */
export type PositionView =
  | { readonly kind: 'each' }
  | {
      readonly kind: 'select';
      readonly axes: (axes: readonly SiteAxis[]) => SiteAxis[];
      /** The block of one pair with the chosen positions only. */
      readonly select: (block: PatchBlock, pair: PatchPair) => PatchBlock;
    };

export const EACH: PositionView = { kind: 'each' };

export interface GridRequest {
  readonly grids: readonly HookGrid[];
  readonly views: readonly PositionView[];
}

/** Full hook names of a comma-separated list; short forms are enough where they are unique. */
export function parseHooks(text: string): HookName[] {
  return text.split(',').map((part) => {
    const hook = resolveHook(part);
    if (hook === undefined) {
      throw new UserInputError(
        'HOOK_UNKNOWN',
        `There is no hook “${part.trim()}”.`,
        `Known hooks: ${HOOKS.map((h) => h.short).join(', ')}.`,
      );
    }
    return hook;
  });
}

/**
 * The grids of `--hooks` under `--positions`: `each` token, `all` patched together, the `last` token, or
 * `span:NAME,…` (spans of one token each, in both prompts). Without a choice, heads are patched at all
 * positions and everything else at each.
 */
export function gridsFor(
  hooks: readonly HookName[],
  positions: string | undefined,
  lines: readonly PairLine[],
): GridRequest {
  const view = viewFor(positions, lines);
  return {
    grids: hooks.map((hook) => ({ hook, axes: axesFor(hookInfo(hook).heads, positions) })),
    views: hooks.map(() => view),
  };
}

function axesFor(heads: boolean, positions: string | undefined): GridAxes {
  const all = positions === 'all' || (positions === undefined && heads);
  if (heads) return all ? 'layer_head' : 'layer_head_position';
  return all ? 'layer' : 'layer_position';
}

function viewFor(positions: string | undefined, lines: readonly PairLine[]): PositionView {
  if (positions === undefined || positions === 'each' || positions === 'all') return EACH;
  if (positions === 'last') {
    return {
      kind: 'select',
      axes: (axes) => axes.filter((axis) => axis !== 'position'),
      select: (block, pair) => selectPositions(block, [pair.clean.length - 1], false),
    };
  }
  if (!positions.startsWith('span:')) {
    throw new UserInputError(
      'POSITIONS_UNKNOWN',
      `“${positions}” names no positions.`,
      'Use each, all, last, or span:NAME with spans of the pairs.',
    );
  }
  const names = positions
    .slice('span:'.length)
    .split(',')
    .map((name) => name.trim());
  const byPair = new Map(lines.map((line) => [line.id, names.map((name) => spanToken(line, name))]));
  return {
    kind: 'select',
    axes: (axes) => axes.map((axis) => (axis === 'position' ? 'span' : axis)),
    select: (block, pair) => selectPositions(block, byPair.get(pair.id) ?? [], true),
  };
}

function spanToken(line: PairLine, name: string): number {
  const clean = line.spans?.clean[name];
  const corrupted = line.spans?.corrupted[name];
  if (clean === undefined) {
    throw new UserInputError(
      'SPAN_UNKNOWN',
      `Pair “${line.id}” has no span “${name}”.`,
      'Add it under "spans", or leave it out of --positions.',
    );
  }
  if (clean[1] - clean[0] !== 1 || (corrupted !== undefined && corrupted[0] !== clean[0])) {
    throw new UserInputError(
      'SPAN_NOT_ONE_TOKEN',
      `Span “${name}” of pair “${line.id}” is not one token at the same place in both prompts.`,
      'Name spans of one token, or use --positions each.',
    );
  }
  return clean[0];
}

/** Keeps the given indices of the last (position) axis; drops the axis where `keepAxis` is false. */
function selectPositions(block: PatchBlock, positions: readonly number[], keepAxis: boolean): PatchBlock {
  const outer = block.shape.slice(0, -1);
  const length = block.shape.at(-1) ?? 1;
  const indices = Array.from({ length: size(outer) }, (_, row) =>
    positions.map((p) => row * length + p),
  ).flat();
  return {
    ...block,
    shape: keepAxis ? [...outer, positions.length] : outer,
    raw: block.raw.map((values) => Float64Array.from(indices, (i) => values[i] ?? Number.NaN)),
    zero: Uint8Array.from(indices, (i) => block.zero[i] ?? 0),
    trivial: Uint8Array.from(indices, (i) => block.trivial[i] ?? 0),
  };
}
