import {
  hookInfo,
  SweepNoise,
  type SweepHookGrid,
  type GridAxes,
  type HookName,
  type Model,
  type PairSet,
  type SweepSpec,
} from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';
import { advancedOf, fits, gridParts, PLAIN, type Advanced } from './advanced.ts';

/** What the sentence says, before it is complete. */
export interface SweepDraft {
  readonly hooks: readonly HookName[];
  readonly axes: GridAxes;
  readonly direction: SweepSpec['direction'];
  readonly method: SweepSpec['method'];
  readonly metrics: SweepSpec['metrics'];
  /** Layers patched together; null = one at a time. */
  readonly window: number | null;
  /** With a window: single layers as well. */
  readonly singles: boolean;
  /** Grids and sources beyond the plain sentence. */
  readonly advanced: Advanced;
  /** `both`: one sweep of each, alike in everything else. */
  readonly corruption: SweepSpec['corruption'] | 'both';
  readonly noise: SweepNoise;
  readonly pairSetId: PairSet['id'] | null;
  readonly modelId: Model['id'] | null;
  readonly name: string;
}

const RESID = 'blocks.{layer}.hook_resid_pre';
const ATTN = 'blocks.{layer}.hook_attn_out';
const MLP = 'blocks.{layer}.hook_mlp_out';
const HEADS = 'blocks.{layer}.attn.hook_z';

/** The output of `mlp.c_fc`, which the CLAP study patched. */
export const CLAP_SITE = 'blocks.{layer}.mlp.hook_pre';

/** Ten draws of three SD on the key tokens. */
const NOISE: SweepNoise = SweepNoise.parse({});

export interface Preset {
  readonly id: keyof typeof t.sweeps.preset;
  readonly change: (draft: SweepDraft) => Partial<SweepDraft>;
}

/** Ready-made sentences; each keeps the pairs and the model. */
export const PRESETS: readonly Preset[] = [
  {
    id: 'control',
    change: () => ({ hooks: [RESID, ATTN, MLP], axes: 'layer_position', direction: 'denoising' }),
  },
  {
    id: 'heads',
    change: () => ({ hooks: [HEADS], axes: 'layer_head', direction: 'denoising' }),
  },
  {
    id: 'windows',
    change: () => ({ hooks: [MLP], axes: 'layer_position', window: 5, singles: true, corruption: 'str' }),
  },
  {
    id: 'practice',
    change: () => ({
      hooks: [HEADS],
      axes: 'layer_head',
      direction: 'denoising',
      method: 'exact',
      metrics: ['logit_diff'],
      window: null,
      corruption: 'str',
    }),
  },
  {
    id: 'matrix',
    change: () => ({
      hooks: [HEADS],
      axes: 'layer_head',
      direction: 'denoising',
      method: 'exact',
      metrics: ['logit_diff', 'prob', 'kl'],
      window: null,
      corruption: 'both',
    }),
  },
  {
    id: 'clap',
    change: () => ({ hooks: [CLAP_SITE], axes: 'layer', direction: 'denoising' }),
  },
  {
    id: 'subject',
    change: () => ({
      hooks: [MLP],
      axes: 'layer_position',
      direction: 'denoising',
      method: 'exact',
      metrics: ['logit_diff', 'prob'],
      window: 5,
      singles: true,
      corruption: 'both',
      advanced: PLAIN,
    }),
  },
  { id: 'noising', change: () => ({ direction: 'noising' }) },
];

export function emptyDraft(): SweepDraft {
  return {
    hooks: [RESID, ATTN, MLP],
    axes: 'layer_position',
    direction: 'denoising',
    method: 'exact',
    metrics: ['logit_diff'],
    window: null,
    singles: true,
    advanced: PLAIN,
    corruption: 'str',
    noise: NOISE,
    pairSetId: null,
    modelId: null,
    name: t.sweeps.preset.control.name,
  };
}

/** The draft with a change, kept consistent: a grid over heads or neurons needs sites that have them. */
export function changed(draft: SweepDraft, change: Partial<SweepDraft>): SweepDraft {
  const next = { ...draft, ...change };
  if (!fits(next.axes, next.hooks)) return { ...next, axes: 'layer_position' };
  return next;
}

/** Single layers, windows, or both: a window is read beside the sum of its layers. */
function gridsOf(
  { axes, window, singles }: SweepDraft,
  hook: HookName,
  parts: Partial<SweepHookGrid>,
): SweepHookGrid[] {
  const single = { ...parts, hook, axes };
  if (window === null) return [single];
  return [...(singles ? [single] : []), { ...single, window }];
}

const REPLACED = { corruption: 'str' } as const;
const GAUSSIAN = ({ noise }: SweepDraft) => ({ corruption: 'gn', noise }) as const;

/** One specification for every sweep that the sentence starts; none before it is complete. */
export function specsOf(draft: SweepDraft): SweepSpec[] {
  const corruptions = draft.corruption === 'both' ? (['str', 'gn'] as const) : [draft.corruption];
  return corruptions.flatMap((corruption) => specOf({ ...draft, corruption }) ?? []);
}

/** The specification once the sentence is complete. */
export function specOf(draft: SweepDraft): SweepSpec | null {
  if (draft.pairSetId === null || draft.modelId === null || draft.hooks.length === 0) return null;
  if (draft.metrics.length === 0) return null;
  const parts = gridParts(draft.axes, draft.advanced);
  if (parts === null) return null;
  const corruption = draft.corruption === 'gn' ? GAUSSIAN(draft) : REPLACED;
  return {
    modelId: draft.modelId,
    pairSetId: draft.pairSetId,
    grids: draft.hooks.flatMap((hook) => gridsOf(draft, hook, parts)),
    direction: draft.direction,
    ...(draft.advanced.source === null ? {} : { source: draft.advanced.source }),
    method: draft.method,
    ...corruption,
    metrics: [...draft.metrics],
    epsilon: 1e-6,
    bos: 'auto',
    seed: 42,
  };
}

/** A stored sweep as a sentence. */
export function draftOf(spec: SweepSpec, name: string): SweepDraft {
  return {
    hooks: [...new Set(spec.grids.map((grid) => grid.hook))],
    axes: spec.grids[0]?.axes ?? 'layer_position',
    direction: spec.direction,
    method: spec.method,
    metrics: spec.metrics,
    window: spec.grids.find((grid) => grid.window !== undefined)?.window ?? null,
    singles: spec.grids.some((grid) => grid.window === undefined),
    advanced: advancedOf(spec),
    corruption: spec.corruption,
    noise: spec.noise ?? NOISE,
    pairSetId: spec.pairSetId,
    modelId: spec.modelId,
    name,
  };
}

/** Names of the sites in words; the residual stream once. */
export function hookNames(hooks: readonly HookName[]): string[] {
  return hooks.map((hook) => hookInfo(hook).label);
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What of a site's place in the model can be looked at: how its heads attend, what its residual stream says. */
export function viewsOf(hook: HookName): { readonly attention: boolean; readonly lens: boolean } {
  const attention = hookInfo(hook).heads || hook.endsWith('.hook_attn_out');
  return { attention, lens: !hookInfo(hook).heads };
}
