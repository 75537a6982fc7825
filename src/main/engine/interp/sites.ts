import type { HookGrid, ModelConfig, PatchAxes, SiteSpec } from '../../../shared/domain/index.ts';
import { hookInfo, isLayered } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { headsOf } from './points.ts';

export type SiteAxis = 'layer' | 'head' | 'position' | 'span' | 'source' | 'neuron';

/** One row per kind of grid: its axes after `pair`, in the order of the flat arrays. */
export const GRID_AXES: Readonly<Record<PatchAxes, readonly SiteAxis[]>> = {
  layer: ['layer'],
  layer_position: ['layer', 'position'],
  layer_span: ['layer', 'span'],
  layer_head: ['layer', 'head'],
  layer_head_position: ['layer', 'head', 'position'],
  layer_head_span: ['layer', 'head', 'span'],
  layer_head_position_source: ['layer', 'head', 'position', 'source'],
  layer_neuron: ['layer', 'neuron'],
  layer_position_neuron: ['layer', 'position', 'neuron'],
  layer_span_neuron: ['layer', 'span', 'neuron'],
  position: ['position'],
  span: ['span'],
  whole: [],
};

/** One cell of a grid for one pair; −1 where the grid has no such axis (all heads, every position …). */
export interface Cell {
  readonly index: number;
  readonly layer: number;
  readonly head: number;
  readonly position: number;
  readonly span: number;
  /** Key position of an attention cell. */
  readonly source: number;
  /** Index of the neuron in the layer. */
  readonly neuron: number;
}

function neuronsOf(grid: HookGrid, config: ModelConfig): number {
  return grid.neurons?.length ?? config.dMlp;
}

/** Length of every axis. `layer` counts blocks; hooks at the model's ends have no layer axis. */
export function gridShape(grid: HookGrid, config: ModelConfig, tokens: number): number[] {
  const extent: Readonly<Record<SiteAxis, () => number>> = {
    layer: () => config.nLayer,
    head: () => headsOf(grid.hook, config),
    position: () => tokens,
    span: () => grid.spans?.length ?? 0,
    source: () => tokens,
    neuron: () => neuronsOf(grid, config),
  };
  return GRID_AXES[grid.axes].map((axis) => extent[axis]());
}

/** How many sites a grid has for one pair. */
export function countSites(grid: HookGrid, config: ModelConfig, tokens: number): number {
  const all = gridShape(grid, config, tokens).reduce((product, n) => product * n, 1);
  return grid.onlyLayers === undefined ? all : (all * new Set(grid.onlyLayers).size) / config.nLayer;
}

/** Every cell of a grid, in the order of its flat arrays; those of layers that are not wanted are left out. */
export function gridCells(grid: HookGrid, config: ModelConfig, tokens: number): Cell[] {
  const axes = GRID_AXES[grid.axes];
  const shape = gridShape(grid, config, tokens);
  const size = shape.reduce((product, n) => product * n, 1);
  const wanted = grid.onlyLayers === undefined ? null : new Set(grid.onlyLayers);
  const cells = Array.from({ length: size }, (_, index) => {
    const at: Record<SiteAxis, number> = {
      layer: -1,
      head: -1,
      position: -1,
      span: -1,
      source: -1,
      neuron: -1,
    };
    let rest = index;
    for (let a = axes.length - 1; a >= 0; a--) {
      const axis = axes[a];
      const extent = shape[a] ?? 1;
      if (axis !== undefined) at[axis] = rest % extent;
      rest = Math.floor(rest / extent);
    }
    const neuron = at.neuron < 0 ? -1 : (grid.neurons?.[at.neuron] ?? at.neuron);
    return { index, ...at, neuron };
  });
  return wanted === null ? cells : cells.filter(({ layer }) => wanted.has(layer));
}

/** The layers that one cell patches together: one, or a window clipped at the ends (METHODS section 6). */
export function layersOf(grid: HookGrid, layer: number, config: ModelConfig): number[] {
  if (layer < 0) return [0];
  const w = grid.window ?? 1;
  const from = Math.max(0, layer - Math.floor(w / 2));
  const to = Math.min(config.nLayer, layer + Math.ceil(w / 2));
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * Whether a grid makes sense for its hook and model.
 * @throws UserInputError `GRID_NO_HEADS`, `GRID_NO_NEURONS`, `GRID_NOT_SQUARE`, `GRID_AXES`, `HOOK_ABSENT`,
 * `SITE_OUTSIDE` naming the hook.
 */
export function checkGrid(grid: HookGrid, config: ModelConfig, parallel: boolean): void {
  const axes = GRID_AXES[grid.axes];
  const { kind, heads } = hookInfo(grid.hook);
  const refuse = (code: string, fact: string, next: string): never => {
    throw new UserInputError(code, `${grid.hook} ${fact}.`, next);
  };
  for (const site of grid.sites ?? [grid]) {
    if (site.hook === 'hook_pos_embed' && config.rotary !== undefined) {
      refuse(
        'HOOK_ABSENT',
        'does not exist: this model turns queries and keys instead of adding positions',
        'Choose hook_embed, q or k.',
      );
    }
    if (site.hook === 'blocks.{layer}.hook_resid_mid' && parallel) {
      refuse(
        'HOOK_ABSENT',
        'does not exist: this model’s attention and MLP read the same stream',
        'Choose resid_pre, attn_out or mlp_out.',
      );
    }
  }
  if (grid.sites !== undefined) {
    grid.sites.forEach((site) => checkSite(site, config));
    return;
  }
  if (axes.includes('head') && !heads)
    refuse('GRID_NO_HEADS', 'has no heads', 'Sweep it by layer and position.');
  if (axes.includes('neuron') && kind !== 'neuron')
    refuse('GRID_NO_NEURONS', 'has no neurons', 'Sweep neurons over mlp.hook_pre or mlp.hook_post.');
  if (axes.includes('source') && kind !== 'square')
    refuse('GRID_NOT_SQUARE', 'has no source positions', 'Patch cells of hook_pattern or hook_attn_scores.');
  if (axes.includes('span') && grid.spans === undefined)
    refuse(
      'GRID_NO_SPANS',
      'is to be swept by span, and no span is named',
      'Name spans that the pairs have.',
    );
  if (axes.includes('layer') !== isLayered(grid.hook))
    refuse(
      'GRID_AXES',
      isLayered(grid.hook) ? 'stands in every block' : 'stands once in the model',
      'Choose a grid with a layer axis for hooks inside blocks only.',
    );
  const noLayer = grid.onlyLayers?.find((layer) => layer >= config.nLayer);
  if (noLayer !== undefined)
    refuse(
      'SITE_OUTSIDE',
      `has no layer ${noLayer}: there are ${config.nLayer}`,
      'Choose layers counted from 0.',
    );
  const outside = grid.neurons?.find((n) => n >= config.dMlp);
  if (outside !== undefined)
    refuse(
      'SITE_OUTSIDE',
      `has no neuron ${outside}: a layer has ${config.dMlp}`,
      'Choose neurons counted from 0.',
    );
}

function checkSite(site: SiteSpec, config: ModelConfig): void {
  const problems = [
    site.layer >= config.nLayer ? `no layer ${site.layer}: there are ${config.nLayer}` : null,
    site.head !== undefined && (!hookInfo(site.hook).heads || site.head >= headsOf(site.hook, config))
      ? `no head ${site.head}`
      : null,
    site.neuron !== undefined && (hookInfo(site.hook).kind !== 'neuron' || site.neuron >= config.dMlp)
      ? `no neuron ${site.neuron}`
      : null,
  ].filter((p) => p !== null);
  if (problems[0] === undefined) return;
  throw new UserInputError(
    'SITE_OUTSIDE',
    `${site.hook} has ${problems[0]}.`,
    'Layers, heads and neurons count from 0.',
  );
}
