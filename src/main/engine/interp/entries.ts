import type { HookName } from '../../../shared/domain/index.ts';
import type { Edit } from './edits.ts';

/**
 * Where a run that differs from the target by one whole row joins the packed batch, and the row it joins
 * with: everything behind the row is computed, nothing before it.
 * - `x`: a row of the residual stream before block `layer` (layer L = behind the last block).
 * - `mid`: a row before the MLP of block `layer`.
 * - `z`: a row of head outputs before the output projection of block `layer`.
 */
export interface Entry {
  readonly stage: 'x' | 'mid' | 'z';
  readonly layer: number;
  /** The row is the sum of these: the source's activations and the target's. */
  readonly source: readonly HookName[];
  readonly target: readonly HookName[];
  /** Block whose activations those are. */
  readonly from: number;
  /** One head of z: the rest of the row is the target's. −1 = none. */
  readonly head: number;
}

const PRE: HookName = 'blocks.{layer}.hook_resid_pre';
const MID: HookName = 'blocks.{layer}.hook_resid_mid';
const POST: HookName = 'blocks.{layer}.hook_resid_post';
const ATTN: HookName = 'blocks.{layer}.hook_attn_out';
const MLP: HookName = 'blocks.{layer}.hook_mlp_out';
const PRE_ACTIVATION: HookName = 'blocks.{layer}.mlp.hook_pre';
const Z: HookName = 'blocks.{layer}.attn.hook_z';

/** What of a family decides where rows join. */
export interface BlockKind {
  /** Attention and MLP side by side. */
  readonly parallel: boolean;
  /** Positions are embeddings that are added to the tokens'. */
  readonly learned: boolean;
  /** The MLP's input projection is one of two factors: patching it is not patching the MLP. */
  readonly gated: boolean;
}

type Make = (layer: number, kind: BlockKind) => Entry;
const entry = (
  stage: Entry['stage'],
  layer: number,
  from: number,
  source: readonly HookName[],
  target: readonly HookName[] = [],
): Entry => ({ stage, layer, from, source, target, head: -1 });

const attention: Make = (l, { parallel }) =>
  parallel ? entry('x', l + 1, l, [ATTN], [PRE, MLP]) : entry('mid', l, l, [ATTN], [PRE]);
/** An MLP patched whole, at its input projection, its neurons or its output, leaves the same row behind. */
const mlp: Make = (l, { parallel }) => entry('x', l + 1, l, [MLP], parallel ? [PRE, ATTN] : [MID]);

/** Hooks whose whole rows have an entry of their own; all others are patched inside the block (`walk.ts`). */
const ENTRIES: Partial<Record<HookName, Make>> = {
  hook_embed: (_l, { learned }) => entry('x', 0, 0, ['hook_embed'], learned ? ['hook_pos_embed'] : []),
  hook_pos_embed: () => entry('x', 0, 0, ['hook_pos_embed'], ['hook_embed']),
  [PRE]: (l) => entry('x', l, l, [PRE]),
  [MID]: (l) => entry('mid', l, l, [MID]),
  [POST]: (l) => entry('x', l + 1, l, [POST]),
  [ATTN]: attention,
  [MLP]: mlp,
  [PRE_ACTIVATION]: mlp,
  'blocks.{layer}.mlp.hook_post': mlp,
  [Z]: attention,
};

/** The entry of a single edit, or null where it must be made inside its block. */
export function entryOf(edit: Edit, kind: BlockKind, fromRun: boolean): Entry | null {
  if (edit.neuron >= 0 || edit.key >= 0) return null;
  // A pasted mean or zero of z or of neurons is not the mean or zero of what they write.
  const inner = edit.hook === Z || edit.hook.includes('.mlp.hook_p');
  if (inner && !fromRun) return null;
  if (edit.hook === PRE_ACTIVATION && kind.gated) return null;
  if (edit.head >= 0) {
    return edit.hook === Z
      ? { stage: 'z', layer: edit.layer, from: edit.layer, source: [Z], target: [Z], head: edit.head }
      : null;
  }
  return ENTRIES[edit.hook]?.(edit.layer, kind) ?? null;
}

/** Residual rows that join `z` rows behind the output projection. */
export const residOfZ = (parallel: boolean): readonly HookName[] => (parallel ? [PRE, MLP] : [PRE]);
