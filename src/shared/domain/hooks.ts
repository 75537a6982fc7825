import { z } from 'zod';

/**
 * Hook points under TransformerLens's names (METHODS section 1). One row per hook: `{layer}` stands for
 * the block's number. `axes` are the grids that can be swept over it; shapes are of one prompt.
 */
export interface HookInfo {
  /** Full template, e.g. `blocks.{layer}.attn.hook_z`; hooks at the model's ends have no layer. */
  readonly name: string;
  /** Unique short form for command lines and menus. */
  readonly short: string;
  /** In words, for the sentence builder and reports. */
  readonly label: string;
  /** Shape of the activation: T tokens, H heads, G key/value heads, dh head width, d model width, m MLP width. */
  readonly shape: string;
  /**
   * What can be patched apart: `row` a token; `head` and `kv` a token of a (key/value) head; `square` a query row
   * or a cell of a head's attention; `neuron` one neuron of a token.
   */
  readonly kind: 'row' | 'head' | 'kv' | 'square' | 'neuron';
  readonly heads: boolean;
  /** A residual-stream site (not a component of its own): left out of localisation indices. */
  readonly residual: boolean;
}

/** In the order of computation. */
export const HOOKS = [
  {
    name: 'hook_embed',
    short: 'embed',
    label: 'token embedding',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'hook_pos_embed',
    short: 'pos_embed',
    label: 'position embedding',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.hook_resid_pre',
    short: 'resid_pre',
    label: 'residual stream',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.ln1.hook_scale',
    short: 'ln1.hook_scale',
    label: 'scale of the norm before attention',
    shape: '[T, 1]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.ln1.hook_normalized',
    short: 'ln1.hook_normalized',
    label: 'normalised input of attention',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_q',
    short: 'q',
    label: 'queries',
    shape: '[T, H, dh]',
    kind: 'head',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_k',
    short: 'k',
    label: 'keys',
    shape: '[T, G, dh]',
    kind: 'kv',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_v',
    short: 'v',
    label: 'values',
    shape: '[T, G, dh]',
    kind: 'kv',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_attn_scores',
    short: 'attn_scores',
    label: 'attention scores',
    shape: '[H, T, T]',
    kind: 'square',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_pattern',
    short: 'pattern',
    label: 'attention pattern',
    shape: '[H, T, T]',
    kind: 'square',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_z',
    short: 'z',
    label: 'attention head outputs',
    shape: '[T, H, dh]',
    kind: 'head',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_result',
    short: 'result',
    label: 'attention heads’ writes to the residual stream',
    shape: '[T, H, d]',
    kind: 'head',
    heads: true,
    residual: false,
  },
  {
    name: 'blocks.{layer}.hook_attn_out',
    short: 'attn_out',
    label: 'attention output',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.hook_resid_mid',
    short: 'resid_mid',
    label: 'residual stream after attention',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.ln2.hook_scale',
    short: 'ln2.hook_scale',
    label: 'scale of the norm before the MLP',
    shape: '[T, 1]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.ln2.hook_normalized',
    short: 'ln2.hook_normalized',
    label: 'normalised input of the MLP',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.mlp.hook_pre',
    short: 'pre',
    label: 'MLP input projection',
    shape: '[T, m]',
    kind: 'neuron',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.mlp.hook_post',
    short: 'post',
    label: 'MLP neurons after activation',
    shape: '[T, m]',
    kind: 'neuron',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.hook_mlp_out',
    short: 'mlp_out',
    label: 'MLP output',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.hook_resid_post',
    short: 'resid_post',
    label: 'residual stream after the block',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'ln_final.hook_scale',
    short: 'ln_final.hook_scale',
    label: 'scale of the final norm',
    shape: '[T, 1]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'ln_final.hook_normalized',
    short: 'ln_final.hook_normalized',
    label: 'normalised final residual stream',
    shape: '[T, d]',
    kind: 'row',
    heads: false,
    residual: true,
  },
  {
    name: 'logits',
    short: 'logits',
    label: 'logits',
    shape: '[T, vocabulary]',
    kind: 'row',
    heads: false,
    residual: true,
  },
] as const satisfies readonly HookInfo[];

export type HookName = (typeof HOOKS)[number]['name'];
export const HookName = z.enum(HOOKS.map((h) => h.name) as [HookName, ...HookName[]]);

const BY_NAME: ReadonlyMap<string, (typeof HOOKS)[number]> = new Map(HOOKS.map((h) => [h.name, h]));

export function hookInfo(name: HookName): HookInfo {
  const info = BY_NAME.get(name);
  if (info === undefined) throw new Error(`unknown hook ${name}`);
  return info;
}

/** Whether the hook stands once in every block. */
export const isLayered = (name: HookName): boolean => name.includes('{layer}');

/** The hook of one block, or a hook at the model's ends: `blocks.3.attn.hook_z`, `ln_final.hook_scale`. */
export const hookAt = (name: HookName, layer: number): string => name.replace('{layer}', String(layer));

/** `z`, `hook_z`, `attn.hook_z` or the full template; undefined when it names nothing, or several. */
export function resolveHook(text: string): HookName | undefined {
  const t = text.trim();
  const exact = HOOKS.find((h) => h.name === t || h.short === t || h.name === `blocks.{layer}.${t}`);
  if (exact !== undefined) return exact.name;
  const ending = HOOKS.filter((h) => h.name.endsWith(`.${t}`) || `hook_${h.short}` === t);
  return ending.length === 1 ? ending[0]?.name : undefined;
}
