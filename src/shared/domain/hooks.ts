import { z } from 'zod';

/**
 * Hook points under TransformerLens's names (METHODS section 1). One row per hook: `{layer}` stands for
 * the block's number. `axes` are the grids that can be swept over it; shapes are of one prompt.
 */
export interface HookInfo {
  /** Full template, e.g. `blocks.{layer}.attn.hook_z`. */
  readonly name: string;
  /** Unique short form for command lines and menus. */
  readonly short: string;
  /** In words, for the sentence builder and reports. */
  readonly label: string;
  /** Shape of the activation: T tokens, H heads, dh head width, d model width, m MLP width. */
  readonly shape: string;
  readonly heads: boolean;
  /** A residual-stream site (not a component of its own): left out of localisation indices. */
  readonly residual: boolean;
}

export const HOOKS = [
  {
    name: 'blocks.{layer}.hook_resid_pre',
    short: 'resid_pre',
    label: 'residual stream',
    shape: '[T, d]',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.hook_resid_mid',
    short: 'resid_mid',
    label: 'residual stream after attention',
    shape: '[T, d]',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.hook_resid_post',
    short: 'resid_post',
    label: 'residual stream after the block',
    shape: '[T, d]',
    heads: false,
    residual: true,
  },
  {
    name: 'blocks.{layer}.hook_attn_out',
    short: 'attn_out',
    label: 'attention output',
    shape: '[T, d]',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.hook_mlp_out',
    short: 'mlp_out',
    label: 'MLP output',
    shape: '[T, d]',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.mlp.hook_pre',
    short: 'pre',
    label: 'MLP input projection',
    shape: '[T, m]',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.mlp.hook_post',
    short: 'post',
    label: 'MLP neurons after activation',
    shape: '[T, m]',
    heads: false,
    residual: false,
  },
  {
    name: 'blocks.{layer}.attn.hook_z',
    short: 'z',
    label: 'attention head outputs',
    shape: '[T, H, dh]',
    heads: true,
    residual: false,
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

/** `z`, `hook_z`, `attn.hook_z` or the full template; undefined when it names nothing. */
export function resolveHook(text: string): HookName | undefined {
  const t = text.trim();
  return HOOKS.find(
    (h) =>
      h.name === t ||
      h.short === t ||
      h.name === `blocks.{layer}.${t}` ||
      h.name.endsWith(`.${t}`) ||
      `hook_${h.short}` === t,
  )?.name;
}
