import type { HookGrid, HookName, ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant, UserInputError } from '../../../../shared/errors/index.ts';
import { casesOf, firstDifference } from '../cases.ts';
import { editsOf, judge, maskedCell, type Edit, type Judgement } from '../edits.ts';
import { gridCells, gridShape, type Cell } from '../sites.ts';
import type { AttributionCase } from './batches.ts';
import type { WantedHook } from './graph.ts';
import type { AttributionTask } from './types.ts';

/** The part of an activation that a site takes; −1 = all. */
export interface Part {
  readonly head: number;
  readonly neuron: number;
  /** Key position of an attention cell. */
  readonly key: number;
}

/** What the cells of one layer and position share, whatever their head, neuron or key. */
interface Place {
  readonly edits: readonly Edit[];
  readonly judgement: Judgement;
}

/** One cell of a grid for one pair. */
export interface Site extends Part {
  readonly index: number;
  readonly place: Place;
}

export interface SiteGrid {
  readonly grid: number;
  readonly shape: readonly number[];
  readonly sites: readonly Site[];
}

/** One pair with the sites still to be estimated. */
export interface PlannedPair extends AttributionCase {
  readonly index: number;
  readonly grids: readonly SiteGrid[];
}

/**
 * The pairs of a task with their sites, as the exact planner sees them.
 * @throws UserInputError ATTRIBUTION_SOURCE, ATTRIBUTION_SEQUENCE, ATTRIBUTION_CROSS, HOOK_NO_ESTIMATE.
 */
export function planPairs(task: AttributionTask, config: ModelConfig): PlannedPair[] {
  const done = new Set(task.done ?? []);
  // Pairs of one length have the same cells.
  const known = new Map<string, Cell[]>();
  const cellsOf = (g: number, grid: HookGrid, tokens: number): Cell[] => {
    const key = `${g}:${tokens}`;
    const cells = known.get(key) ?? gridCells(grid, config, tokens);
    known.set(key, cells);
    return cells;
  };
  return task.pairs.flatMap((_pair, index): PlannedPair[] => {
    const grids = task.grids.flatMap((grid, g) => (done.has(`${g}:${index}`) ? [] : [{ grid, g }]));
    return grids.length === 0 ? [] : [planPair(task, index, grids, config, cellsOf)];
  });
}

function planPair(
  task: AttributionTask,
  index: number,
  grids: readonly { readonly grid: HookGrid; readonly g: number }[],
  config: ModelConfig,
  cellsOf: (g: number, grid: HookGrid, tokens: number) => readonly Cell[],
): PlannedPair {
  const pair = task.pairs[index];
  invariant(pair !== undefined, `no pair ${index}`);
  refuseTask(task, index);
  const [one] = casesOf(task, index, () => {
    throw new Error('noise was refused before');
  });
  invariant(one !== undefined, `pair ${index} has a case`);
  const source = one.other;
  const first = firstDifference(one.target, source);
  const context = { pair, one, direction: task.direction, config };
  const sitesOf = (g: number, grid: HookGrid, only: ReadonlySet<number> | null): Site[] => {
    const places = new Map<number, Place>();
    const width = one.tokens + (grid.spans?.length ?? 0) + 2;
    const placeOf = (cell: Cell): Place => {
      // A grid has positions or spans, not both.
      const at = (cell.layer + 1) * width + Math.max(cell.position, cell.span) + 1;
      const known = places.get(at);
      if (known !== undefined) return known;
      const edits = editsOf(grid, { ...cell, head: -1, neuron: -1, source: -1 }, context);
      for (const edit of edits) refuseEdit(edit, pair.id);
      const place = { edits, judgement: judge(edits, one, source, first, config) };
      places.set(at, place);
      return place;
    };
    const cells = cellsOf(g, grid, one.tokens);
    const chosen = only === null ? cells : cells.filter((cell) => only.has(cell.index));
    return chosen.map((cell): Site => ({
      index: cell.index,
      head: cell.head,
      neuron: cell.neuron,
      key: cell.source,
      place: placeOf(cell),
    }));
  };
  return {
    pair,
    index,
    target: one.target,
    source,
    grids: grids.map(({ grid, g }) => {
      const only = task.cells?.[g];
      const sites = sitesOf(g, grid, only == null ? null : new Set(only));
      return { grid: g, shape: gridShape(grid, config, one.tokens), sites };
    }),
  };
}

/** A key after its query: no value exists. */
export function isMasked({ key, place }: Site): boolean {
  return key >= 0 && place.edits.every((edit) => maskedCell({ ...edit, key }));
}

/** What the sites need of each hook: element by element only where one asks for it. */
export function wantedHooks(planned: readonly PlannedPair[]): WantedHook[] {
  const grains = new Map<HookName, WantedHook['grain']>();

  for (const { sites } of planned.flatMap((p) => p.grids)) {
    const [site] = sites;
    for (const edit of site?.place.edits ?? []) {
      const fine = [site?.neuron, site?.key, edit.neuron].some((part) => part !== undefined && part >= 0);
      if (fine || !grains.has(edit.hook)) grains.set(edit.hook, fine ? 'element' : 'sum');
    }
  }
  return [...grains].map(([hook, grain]) => ({ hook, grain })).sort((a, b) => a.hook.localeCompare(b.hook));
}

const SOURCE_WORDS: Readonly<Record<NonNullable<AttributionTask['source']>['kind'], string>> = {
  pair: 'the pair',
  prompt: 'a third prompt',
  zero: 'zero',
  mean: 'a mean',
  resample: 'a reference prompt',
  model: 'another model',
};

/** Other sources would need baselines of their own: they are patched exactly. */
function refuseTask({ source, noise, pairs }: AttributionTask, index: number): void {
  const kind = source?.kind ?? 'pair';
  if (noise !== undefined || kind !== 'pair') {
    throw new UserInputError(
      'ATTRIBUTION_SOURCE',
      `Gradients estimate patches from the pair’s other prompt, not from ${noise === undefined ? SOURCE_WORDS[kind] : 'noise'}.`,
      'Patch exactly, or patch from the pair’s other prompt.',
    );
  }
  const pair = pairs[index];
  if (pair?.sequences !== undefined) {
    throw new UserInputError(
      'ATTRIBUTION_SEQUENCE',
      `Pair ${pair.id}: answers of several tokens cannot be estimated by gradients.`,
      'Score the first token of the answers, or patch exactly.',
    );
  }
}

function refuseEdit(edit: Edit, pair: string): void {
  if (edit.hook === 'logits') {
    throw new UserInputError(
      'HOOK_NO_ESTIMATE',
      'The logits are what the metric is made of: nothing is left to estimate there.',
      'Leave the hook out, or patch exactly.',
    );
  }
  if (edit.tokens.some(({ to, from }) => to !== from)) {
    throw new UserInputError(
      'ATTRIBUTION_CROSS',
      `Pair ${pair}: gradients estimate patches from the same position of the other prompt.`,
      'Patch across positions exactly.',
    );
  }
}
