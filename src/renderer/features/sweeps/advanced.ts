import {
  hookInfo,
  type GridAxes,
  type HookName,
  type SweepHookGrid,
  type SweepSource,
  type SweepSpec,
} from '../../../shared/domain/index.ts';
import { t } from '../../i18n/index.ts';

/** What a sweep may do beside the plain sentence. */
export interface Advanced {
  /** Where pasted values come from; null = the pair's other prompt. */
  readonly source: SweepSource | null;
  /** Spans of a span axis. */
  readonly spans: readonly string[];
  /** Of a neuron axis: one layer, null = all. */
  readonly layer: number | null;
  /** Of a neuron axis: these, null = all. */
  readonly neurons: readonly number[] | null;
  /** Without a position axis: the tokens patched; null = every token. */
  readonly at: number | string | null;
  /** With `at`: where in the source run their values come from; null = the same place. */
  readonly from: number | string | null;
}

export const PLAIN: Advanced = {
  source: null,
  spans: [],
  layer: null,
  neurons: null,
  at: null,
  from: null,
};

/** Grids that the plain sentence offers; the others are chosen under Advanced. */
export const PLAIN_AXES = ['layer_position', 'layer', 'layer_head', 'layer_head_position'] as const;
export const FURTHER_AXES = [
  'layer_span',
  'layer_head_span',
  'layer_neuron',
] as const satisfies readonly GridAxes[];

export const isPlain = (axes: GridAxes): boolean => PLAIN_AXES.some((plain) => plain === axes);

const HEAD_AXES: ReadonlySet<GridAxes> = new Set(['layer_head', 'layer_head_position', 'layer_head_span']);
/** Axes whose tokens are named by a place, if any. */
const PLACED: ReadonlySet<GridAxes> = new Set(['layer', 'layer_head']);

export const needsHeads = (axes: GridAxes): boolean => HEAD_AXES.has(axes);
export const hasPlace = (axes: GridAxes): boolean => PLACED.has(axes);

/** Whether every site has heads, so that a grid over heads makes sense. */
export const allHeads = (hooks: readonly HookName[]): boolean =>
  hooks.length > 0 && hooks.every((hook) => hookInfo(hook).heads);

/** Whether every site has neurons. */
export const allNeurons = (hooks: readonly HookName[]): boolean =>
  hooks.length > 0 && hooks.every((hook) => hookInfo(hook).kind === 'neuron');

/** Whether a grid makes sense for the sites. */
export function fits(axes: GridAxes, hooks: readonly HookName[]): boolean {
  if (axes === 'layer_neuron') return allNeurons(hooks);
  return !needsHeads(axes) || allHeads(hooks);
}

/** What the advanced choices add to a grid of these axes; null while one that is needed is missing. */
export function gridParts(axes: GridAxes, a: Advanced): Partial<SweepHookGrid> | null {
  if (axes === 'layer_span' || axes === 'layer_head_span') {
    return a.spans.length === 0 ? null : { spans: [...a.spans] };
  }
  if (axes === 'layer_neuron') {
    return {
      ...(a.layer === null ? {} : { onlyLayers: [a.layer] }),
      ...(a.neurons === null ? {} : { neurons: [...a.neurons] }),
    };
  }
  if (!hasPlace(axes) || a.at === null) return {};
  return { at: a.at, ...(a.from === null || a.from === a.at ? {} : { from: a.from }) };
}

/** The advanced choices of a stored sweep. */
export function advancedOf({ grids, source }: SweepSpec): Advanced {
  const [first] = grids;
  return {
    source: source ?? null,
    spans: first?.spans ?? [],
    layer: first?.onlyLayers?.[0] ?? null,
    neurons: first?.neurons ?? null,
    at: first?.at ?? null,
    from: first?.from ?? null,
  };
}

/** What differs from the plain sentence, in words; empty where nothing does. */
export function advancedText(axes: GridAxes, a: Advanced, modelName: (id: number) => string): string[] {
  const s = t.sweepAdvanced;
  const place = (at: number | string): string =>
    at === -1 ? s.last : typeof at === 'number' ? s.token(at) : at;
  return [
    ...(axes === 'layer_span' || axes === 'layer_head_span' ? [s.said.spans(a.spans)] : []),
    ...(axes === 'layer_neuron' ? [s.said.neurons(a.layer, a.neurons)] : []),
    ...(hasPlace(axes) && a.at !== null
      ? [s.said.place(place(a.at), a.from === null ? null : place(a.from))]
      : []),
    ...(a.source === null ? [] : [s.said.source(sourceName(a.source, modelName))]),
  ];
}

/** Names a source, as the form lists it. */
export function sourceName(source: SweepSource, modelName: (id: number) => string): string {
  const { sources } = t.sweepAdvanced;
  if (source.kind === 'model') return modelName(source.modelId);
  if (source.kind === 'mean') return source.perPosition ? sources.meanPosition : sources.mean;
  return sources[source.kind];
}

/** `3, 17, 204`; null for none or `all`, undefined where it cannot be read. */
export function parseNeurons(text: string): number[] | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === t.sweepAdvanced.all) return null;
  const parts = trimmed.split(/[\s,]+/);
  return parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : undefined;
}
