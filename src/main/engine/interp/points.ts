import type { HookName, ModelConfig } from '../../../shared/domain/index.ts';
import { headWidth, hookInfo, kvHeads } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';

/** Facts of a hook that decide what a patch there can reach. One row per hook. */
interface Point {
  /** Numbers in one row (token) of the activation; for `square` hooks a row is one query of one head. */
  readonly width: (c: ModelConfig) => number;
  /**
   * Where in the block it stands: `embedding` before the first block, `input` at or before keys and values,
   * `query` what a query row alone sees, `after` behind attention, `final` behind the last block.
   */
  readonly stage: 'embedding' | 'input' | 'query' | 'after' | 'final';
  /**
   * A function of the token and its position alone in block 0, and so equal wherever the tokens are: always, or
   * where the MLP reads the block's input beside attention.
   */
  readonly tokenwise: boolean | 'parallel';
  /** The whole state of the run at its token: pasting it everywhere makes the rest the source's run. */
  readonly wholeState: boolean;
}

const d = (c: ModelConfig): number => c.dModel;
const m = (c: ModelConfig): number => c.dMlp;
const one = (): number => 1;
const q = (c: ModelConfig): number => c.nHead * headWidth(c);
const kv = (c: ModelConfig): number => kvHeads(c) * headWidth(c);
const point = (
  width: Point['width'],
  stage: Point['stage'],
  tokenwise: Point['tokenwise'] = false,
  wholeState = false,
): Point => ({ width, stage, tokenwise, wholeState });

export const POINTS: Readonly<Record<HookName, Point>> = {
  hook_embed: point(d, 'embedding', true),
  hook_pos_embed: point(d, 'embedding', true),
  'blocks.{layer}.hook_resid_pre': point(d, 'input', true, true),
  'blocks.{layer}.ln1.hook_scale': point(one, 'input', true),
  'blocks.{layer}.ln1.hook_normalized': point(d, 'input', true),
  'blocks.{layer}.attn.hook_q': point(q, 'query', true),
  'blocks.{layer}.attn.hook_k': point(kv, 'input', true),
  'blocks.{layer}.attn.hook_v': point(kv, 'input', true),
  'blocks.{layer}.attn.hook_attn_scores': point(one, 'query'),
  'blocks.{layer}.attn.hook_pattern': point(one, 'query'),
  'blocks.{layer}.attn.hook_z': point(q, 'after'),
  'blocks.{layer}.attn.hook_result': point(q, 'after'),
  'blocks.{layer}.hook_attn_out': point(d, 'after'),
  'blocks.{layer}.hook_resid_mid': point(d, 'after', false, true),
  'blocks.{layer}.ln2.hook_scale': point(one, 'after', 'parallel'),
  'blocks.{layer}.ln2.hook_normalized': point(d, 'after', 'parallel'),
  'blocks.{layer}.mlp.hook_pre': point(m, 'after', 'parallel'),
  'blocks.{layer}.mlp.hook_post': point(m, 'after', 'parallel'),
  'blocks.{layer}.hook_mlp_out': point(d, 'after', 'parallel'),
  'blocks.{layer}.hook_resid_post': point(d, 'after', false, true),
  'ln_final.hook_scale': point(one, 'final'),
  'ln_final.hook_normalized': point(d, 'final', false, true),
  logits: point((c) => c.vocabSize, 'final', false, true),
};

/** A head's write to the residual stream is a linear function of its z: one patch, two names. */
export function computedAs(hook: HookName): HookName {
  return hook === 'blocks.{layer}.attn.hook_result' ? 'blocks.{layer}.attn.hook_z' : hook;
}

/** The name inside a block: `attn.hook_q`. */
export const pointName = (hook: HookName): string => hook.replace('blocks.{layer}.', '');

export const isSquare = (hook: HookName): boolean => hookInfo(hook).kind === 'square';

/** Heads of a hook that has them: query heads, or key/value heads under grouped queries. */
export function headsOf(hook: HookName, config: ModelConfig): number {
  const { kind, heads } = hookInfo(hook);
  invariant(heads, `${hook} has no heads`);
  return kind === 'kv' ? kvHeads(config) : config.nHead;
}
