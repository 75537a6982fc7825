import { isGated, type HookName, type ModelConfig } from '../../../shared/domain/index.ts';
import { firstDifference, type PatchCase, type PromptRun } from './cases.ts';
import { editsOf, judge, type Edit, type EditContext } from './edits.ts';
import { entryOf, residOfZ, type BlockKind, type Entry } from './entries.ts';
import { familyOf } from '../nn/registry.ts';
import type { RecordNeeds, Side } from './baseline.ts';
import { POINTS } from './points.ts';
import { gridCells } from './sites.ts';
import type { PatchTask } from './types.ts';

/**
 * One patched run to be computed. A patch at token p leaves every earlier token as in the target run, so
 * only tokens from `start` to the last read position are computed, from the first patched layer on.
 */
export interface Variant {
  /** Where its patched rows join; null where the edits are made inside their blocks. */
  readonly entry: Entry | null;
  readonly edits: readonly Edit[];
  /** First block that is computed (for an entry, the one it joins). */
  readonly layer: number;
  readonly start: number;
  /** Every site that this run answers. */
  readonly sites: readonly SiteRef[];
}

export interface SiteRef {
  readonly grid: number;
  readonly cell: number;
}

export interface CasePlan {
  readonly one: PatchCase;
  /** Grid indices still to be done for its pair. */
  readonly grids: readonly number[];
  readonly variants: readonly Variant[];
  readonly fixed: readonly { readonly site: SiteRef; readonly value: 'target' | 'source' }[];
  readonly zeros: readonly SiteRef[];
  readonly trivials: readonly SiteRef[];
  /** First position at which the two base runs differ. */
  readonly first: number;
}

/** Which run of a case the values come from; null where they come from no run of this model. */
export function sourceSide(task: PatchTask): Side | null {
  const kind = task.source?.kind ?? 'pair';
  if (kind === 'pair') return 'other';
  return kind === 'prompt' || kind === 'resample' ? 'donor' : null;
}

export function sourceRun(task: PatchTask, one: PatchCase): PromptRun | null {
  const side = sourceSide(task);
  return side === null ? null : side === 'other' ? one.other : one.donor;
}

/** The work of one case: sites that leave the same rows behind share one run. */
export function planCase(task: PatchTask, config: ModelConfig, one: PatchCase): CasePlan | null {
  const pair = task.pairs[one.pair];
  if (pair === undefined) return null;
  const done = new Set(task.done ?? []);
  const grids = task.grids.map((_, i) => i).filter((i) => !done.has(`${i}:${one.pair}`));
  if (grids.length === 0) return null;
  const source = sourceRun(task, one);
  const first = source === null ? 0 : firstDifference(one.target, source);
  const kind = blockKind(config);
  const context: EditContext = { pair, one, direction: task.direction, config };
  const variants = new Map<string, { edits: readonly Edit[]; entry: Entry | null; sites: SiteRef[] }>();
  const fixed: { site: SiteRef; value: 'target' | 'source' }[] = [];
  const zeros: SiteRef[] = [];
  const trivials: SiteRef[] = [];
  for (const g of grids) {
    const grid = task.grids[g];
    if (grid === undefined) continue;
    const chosen = task.cells?.[g] ?? null;
    const wanted = chosen === null ? null : new Set(chosen);
    for (const cell of gridCells(grid, config, one.tokens)) {
      if (wanted !== null && !wanted.has(cell.index)) continue;
      if (cell.source > cell.position && cell.source >= 0) continue; // masked: no value exists
      const site: SiteRef = { grid: g, cell: cell.index };
      const known = judge(editsOf(grid, cell, context), one, source, first, config);
      if (known.zero) zeros.push(site);
      if (known.trivial) trivials.push(site);
      if (known.outcome !== 'compute') {
        fixed.push({ site, value: known.outcome });
        continue;
      }
      const [only] = known.edits;
      const entry =
        known.edits.length === 1 && only !== undefined ? entryOf(only, kind, source !== null) : null;
      const key = keyOf(entry, known.edits);
      const variant = variants.get(key);
      if (variant === undefined) variants.set(key, { edits: known.edits, entry, sites: [site] });
      else variant.sites.push(site);
    }
  }
  return {
    one,
    grids,
    first: firstDifference(one.target, one.other),
    fixed,
    zeros,
    trivials,
    variants: [...variants.values()].map((v) => ({ ...v, ...beginOf(v) })),
  };
}

export const blockKind = (config: ModelConfig): BlockKind => ({
  parallel: familyOf(config).parallel,
  learned: config.rotary === undefined,
  gated: isGated(config),
});

/** Entries are told apart by what they leave behind, whatever the hook is called. */
function keyOf(entry: Entry | null, edits: readonly Edit[]): string {
  const tokens = (edit: Edit): string => edit.tokens.map(({ to, from }) => `${to}<${from}`).join();
  if (entry !== null) {
    const at = edits[0] === undefined ? '' : tokens(edits[0]);
    return `${entry.stage}${entry.layer} ${entry.source.join()} ${entry.target.join()} ${entry.from} ${entry.head}@${at}`;
  }
  return edits.map((e) => `${e.hook} ${e.layer} ${e.head} ${e.neuron} ${e.key}@${tokens(e)}`).join(';');
}

function beginOf({ entry, edits }: { entry: Entry | null; edits: readonly Edit[] }): {
  layer: number;
  start: number;
} {
  const start = Math.min(...edits.map((e) => e.tokens[0]?.to ?? 0));
  if (entry !== null) return { layer: entry.layer, start };
  return {
    layer: Math.min(...edits.map((e) => (e.hook.startsWith('ln_final') ? Number.MAX_SAFE_INTEGER : e.layer))),
    start,
  };
}

/** What base runs must record for the plans of a task. `own` of the run patched into, `pasted` of the source. */
export function needsOfPlans(
  task: PatchTask,
  plans: readonly CasePlan[],
  config: ModelConfig,
): RecordNeeds & { readonly pasted: ReadonlySet<HookName> } {
  const hooks = new Set<HookName>();
  const pasted = new Set<HookName>();
  let lastFull = false;
  const { parallel, learned } = blockKind(config);
  const last = config.nLayer - 1;
  for (const { variants, one } of plans) {
    const reads = sourceRun(task, one)?.reads ?? [];
    for (const { entry, edits } of variants) {
      if (entry === null) {
        for (const edit of edits) {
          pasted.add(edit.hook);
          lastFull ||= edit.layer === last && POINTS[edit.hook].stage !== 'final';
          if (POINTS[edit.hook].stage === 'embedding') {
            hooks.add('hook_embed');
            if (learned) hooks.add('hook_pos_embed');
          }
        }
        continue;
      }
      for (const hook of entry.source) pasted.add(hook);
      for (const hook of entry.target) hooks.add(hook);
      if (entry.stage === 'z') for (const hook of residOfZ(parallel)) hooks.add(hook);
      const pastedAt = edits[0]?.tokens ?? [];
      lastFull ||=
        entry.from === last &&
        pastedAt.some(
          ({ from }) => !reads.includes(from) && entry.source.some((h) => POINTS[h].stage === 'after'),
        );
    }
  }
  return { hooks: new Set([...hooks, ...pasted]), lastFull, pasted };
}
