import {
  GridAxes,
  gridOf,
  hookInfo,
  isLayered,
  resolveHook,
  type HookGrid,
  type HookName,
  type PatchAxes,
  type SiteSpec,
  type SweepHookGrid,
  HOOKS,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';

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

export interface GridOptions {
  /** `each` token, `all` together, `last`, an index, or `span:NAME,…`; heads default to all, the rest to each. */
  readonly positions?: string | undefined;
  /** Layers patched together. */
  readonly window?: number | undefined;
  /** Neurons one by one: these, or all. */
  readonly neurons?: readonly number[] | 'all' | undefined;
  /** Attention cells one by one, query × key. */
  readonly sources?: boolean | undefined;
  /** With one position or span: the token or span of the source run that is pasted there. */
  readonly from?: string | undefined;
}

type Place = 'each' | 'all' | 'spans' | { readonly at: number | string };

/**
 * The grids of `--hooks` under `--positions` and its companions.
 * @throws UserInputError POSITIONS_UNKNOWN, FROM_WITHOUT_PLACE, GRID_OPTIONS.
 */
export function gridsFor(hooks: readonly HookName[], options: GridOptions = {}): HookGrid[] {
  const { place, spans } = placeOf(options);
  const from = options.from === undefined ? undefined : placeReference(options.from);
  if (from !== undefined && (place === null || typeof place === 'string')) {
    throw new UserInputError(
      'FROM_WITHOUT_PLACE',
      '--from needs one place to paste to.',
      'Give --positions last, an index, or at:SPAN.',
    );
  }
  return hooks.map((hook) => ({
    hook,
    axes: axesFor(hook, place, options),
    ...(options.window === undefined || options.window < 2 || !isLayered(hook)
      ? {}
      : { window: options.window }),
    ...(place === 'spans' ? { spans } : {}),
    ...(place !== null && typeof place === 'object' ? { at: place.at } : {}),
    ...(from === undefined ? {} : { from }),
    ...(options.neurons === undefined || options.neurons === 'all' || hookInfo(hook).kind !== 'neuron'
      ? {}
      : { neurons: [...options.neurons] }),
  }));
}

function placeOf({ positions, sources }: GridOptions): { place: Place | null; spans: string[] } {
  if (positions === undefined) return { place: sources === true ? 'each' : null, spans: [] };
  if (positions === 'each' || positions === 'all') return { place: positions, spans: [] };
  if (positions === 'last') return { place: { at: -1 }, spans: [] };
  if (/^-?\d+$/.test(positions)) return { place: { at: Number(positions) }, spans: [] };
  if (positions.startsWith('at:')) return { place: { at: positions.slice('at:'.length).trim() }, spans: [] };
  if (positions.startsWith('span:')) {
    const spans = positions
      .slice('span:'.length)
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    if (spans.length > 0) return { place: 'spans', spans };
  }
  throw new UserInputError(
    'POSITIONS_UNKNOWN',
    `“${positions}” names no positions.`,
    'Use each, all, last, an index, span:NAME,… for several spans, or at:NAME for one.',
  );
}

/** A token's index (`last` = −1), or a span's name. */
export const placeReference = (text: string): number | string =>
  text === 'last' ? -1 : /^-?\d+$/.test(text) ? Number(text) : text;

/** Axes by what can be patched apart: position, head, neuron and attention cell. */
function axesFor(hook: HookName, chosen: Place | null, options: GridOptions): PatchAxes {
  const { kind, heads } = hookInfo(hook);
  const place = chosen ?? (heads ? 'all' : 'each');
  const where = place === 'each' ? 'position' : place === 'spans' ? 'span' : '';
  const parts = [
    isLayered(hook) ? 'layer' : '',
    heads ? 'head' : '',
    where,
    options.sources === true && kind === 'square' ? 'source' : '',
    options.neurons !== undefined && kind === 'neuron' ? 'neuron' : '',
  ].filter((part) => part !== '');
  const axes = parts.length === 0 ? 'whole' : parts.join('_');
  const known = AXES.find((name) => name === axes);
  if (known === undefined) {
    throw new UserInputError(
      'GRID_OPTIONS',
      `${hook} cannot be swept by ${parts.join(' × ')}.`,
      'Attention cells need --positions each.',
    );
  }
  return known;
}

/** Whether a grid names its tokens by span or place, so that prompts may differ in length. */
export const byPlace = ({ axes, at, sites }: HookGrid): boolean =>
  sites?.every((s) => s.position !== undefined) ?? (at !== undefined || axes.includes('span'));

const AXES: readonly PatchAxes[] = [
  'layer_position',
  'layer',
  'layer_head',
  'layer_head_position',
  'layer_span',
  'layer_head_span',
  'layer_head_position_source',
  'layer_neuron',
  'layer_position_neuron',
  'layer_span_neuron',
  'position',
  'span',
  'whole',
];

/**
 * Grids that a study keeps and shows; `onlyLayers`: these layers alone.
 * @throws UserInputError GRID_NOT_IN_STUDY, and what `gridsFor` refuses.
 */
export function sweepGridsFor(
  hooks: readonly HookName[],
  options: GridOptions & { readonly onlyLayers?: readonly number[] | undefined } = {},
): SweepHookGrid[] {
  const { onlyLayers, ...rest } = options;
  return gridsFor(hooks, rest).map((grid) => {
    const axes = GridAxes.safeParse(grid.axes);
    if (axes.success) {
      const layers = onlyLayers === undefined ? {} : { onlyLayers: [...onlyLayers] };
      return gridOf({ ...grid, ...layers, axes: axes.data });
    }
    throw new UserInputError(
      'GRID_NOT_IN_STUDY',
      isLayered(grid.hook)
        ? `A study keeps no grid of ${grid.axes.replaceAll('_', ' × ')}.`
        : `A study’s sweeps show layers; ${grid.hook} has none.`,
      'Patch it with engram patch, or choose a hook inside the blocks with spans, heads, positions or neurons.',
    );
  });
}

const SITE =
  /^(?<hook>[^:@]+)(?::(?<layer>\d+)(?:\.(?<head>\d+)|#(?<neuron>\d+))?)?(?:@(?<position>[^<]+)(?:<(?<from>.+))?)?$/;

/**
 * Sites patched together in one run: `HOOK:LAYER[.HEAD|#NEURON][@POSITION[<FROM]]`, joined by `+`. A position
 * is an index (negative from the end), `last` or a span’s name.
 * @throws UserInputError SITE_UNREADABLE, HOOK_UNKNOWN.
 */
export function parseJoint(text: string): HookGrid {
  const sites = text.split('+').map((part): SiteSpec => {
    const groups = SITE.exec(part.trim())?.groups;
    const [hook] = groups?.['hook'] === undefined ? [] : parseHooks(groups['hook']);
    if (groups === undefined || hook === undefined || (isLayered(hook) && groups['layer'] === undefined)) {
      throw new UserInputError(
        'SITE_UNREADABLE',
        `“${part.trim()}” names no site.`,
        'Write HOOK:LAYER, HOOK:LAYER.HEAD or HOOK:LAYER#NEURON, then @POSITION, joined by +, e.g. z:9.9+mlp_out:0@last.',
      );
    }
    return {
      hook,
      layer: Number(groups['layer'] ?? 0),
      ...(groups['head'] === undefined ? {} : { head: Number(groups['head']) }),
      ...(groups['neuron'] === undefined ? {} : { neuron: Number(groups['neuron']) }),
      ...(groups['position'] === undefined ? {} : { position: placeReference(groups['position'].trim()) }),
      ...(groups['from'] === undefined ? {} : { from: placeReference(groups['from'].trim()) }),
    };
  });
  const [first] = sites;
  return { hook: first?.hook ?? 'hook_embed', axes: 'whole', sites };
}
