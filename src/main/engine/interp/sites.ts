import type { GridAxes, HookGrid, HookName, ModelConfig } from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';

/**
 * What a run records at a layer, as arrays of rows: `x` [T, d] is the residual stream before the block,
 * the others are the block's `z`, `attn_out`, `mid` and `mlp_out`.
 */
export type Recorded = 'x' | 'z' | 'attn_out' | 'mid' | 'mlp_out';

/**
 * Where a patch enters the computation, and the row it enters with. After the entry everything downstream
 * of the row is computed; before it nothing is.
 * - `x`: a row of the residual stream before block `layer` (layer L = after the last block).
 * - `mid`: a row before the MLP of block `layer`.
 * - `z`: a row of head outputs before the output projection of block `layer`.
 * `take` names the recorded arrays that make the row: the source's value alone, or the target's plus the
 * source's (`target x + source attn_out` is a patched attn_out seen from the residual stream).
 */
export interface Entry {
  readonly stage: 'x' | 'mid' | 'z';
  readonly layer: number;
  readonly take: 'source-x' | 'source-mid' | 'target-x+source-attn' | 'target-mid+source-mlp' | 'head-z';
  /** For `head-z`. */
  readonly head: number;
}

interface HookEntry {
  /** Entry of the hook's whole activation at a layer (of one head where `head` ≥ 0). */
  readonly entry: (layer: number, head: number) => Entry;
  /** Arrays the source and the target run must record at that layer (before Entry.layer moves on). */
  readonly source: readonly Recorded[];
  readonly target: readonly Recorded[];
}

const e = (stage: Entry['stage'], layer: number, take: Entry['take'], head = -1): Entry => ({
  stage,
  layer,
  take,
  head,
});

/** An MLP patched whole, at its input projection, its neurons or its output, leaves the same row behind. */
const mlpWhole: HookEntry = {
  entry: (layer) => e('x', layer + 1, 'target-mid+source-mlp'),
  source: ['mlp_out'],
  target: ['mid'],
};
const attentionWhole: HookEntry = {
  entry: (layer) => e('mid', layer, 'target-x+source-attn'),
  source: ['attn_out'],
  target: ['x'],
};

/** One row per hook of src/shared/domain/hooks.ts. */
export const HOOK_ENTRIES: Readonly<Record<HookName, HookEntry>> = {
  'blocks.{layer}.hook_resid_pre': { entry: (l) => e('x', l, 'source-x'), source: ['x'], target: [] },
  'blocks.{layer}.hook_resid_mid': { entry: (l) => e('mid', l, 'source-mid'), source: ['mid'], target: [] },
  'blocks.{layer}.hook_resid_post': { entry: (l) => e('x', l + 1, 'source-x'), source: ['x'], target: [] },
  'blocks.{layer}.hook_attn_out': attentionWhole,
  'blocks.{layer}.hook_mlp_out': mlpWhole,
  'blocks.{layer}.mlp.hook_pre': mlpWhole,
  'blocks.{layer}.mlp.hook_post': mlpWhole,
  'blocks.{layer}.attn.hook_z': {
    entry: (l, head) => (head < 0 ? attentionWhole.entry(l, head) : e('z', l, 'head-z', head)),
    source: ['z', 'attn_out'],
    target: ['z', 'x'],
  },
};

/** One cell of a grid for one pair. `position` −1 = every position; `head` −1 = the whole activation. */
export interface Cell {
  readonly index: number;
  readonly layer: number;
  readonly head: number;
  readonly position: number;
}

interface AxesInfo {
  readonly shape: (config: ModelConfig, tokens: number) => number[];
  readonly cells: (config: ModelConfig, tokens: number) => Cell[];
  readonly needsHeads: boolean;
}

function product(layers: number, heads: number, positions: number): Cell[] {
  const cells: Cell[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let h = 0; h < Math.max(1, heads); h++) {
      for (let p = 0; p < Math.max(1, positions); p++) {
        cells.push({
          index: cells.length,
          layer,
          head: heads > 0 ? h : -1,
          position: positions > 0 ? p : -1,
        });
      }
    }
  }
  return cells;
}

/** One row per kind of grid. */
export const GRID_AXES: Readonly<Record<GridAxes, AxesInfo>> = {
  layer: { shape: (c) => [c.nLayer], cells: (c) => product(c.nLayer, 0, 0), needsHeads: false },
  layer_position: {
    shape: (c, t) => [c.nLayer, t],
    cells: (c, t) => product(c.nLayer, 0, t),
    needsHeads: false,
  },
  layer_head: {
    shape: (c) => [c.nLayer, c.nHead],
    cells: (c) => product(c.nLayer, c.nHead, 0),
    needsHeads: true,
  },
  layer_head_position: {
    shape: (c, t) => [c.nLayer, c.nHead, t],
    cells: (c, t) => product(c.nLayer, c.nHead, t),
    needsHeads: true,
  },
};

export function gridShape(grid: HookGrid, config: ModelConfig, tokens: number): number[] {
  return GRID_AXES[grid.axes].shape(config, tokens);
}

/** Every cell of a grid, in the order of its flat arrays. */
export function gridCells(grid: HookGrid, config: ModelConfig, tokens: number): Cell[] {
  const axes = GRID_AXES[grid.axes];
  invariant(!axes.needsHeads || hookInfo(grid.hook).heads, `${grid.hook} has no heads to sweep`);
  return axes.cells(config, tokens);
}
