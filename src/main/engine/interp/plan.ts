import type { ModelConfig } from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import { gridCells, gridShape, HOOK_ENTRIES, type Cell, type Entry } from './sites.ts';
import type { PatchCost, PatchPair, PatchTask } from './types.ts';

/**
 * One patched run to be computed. A patch at token p leaves every earlier token as in the target run, so
 * only tokens from `start` to the read position are computed, from the entry on.
 */
export interface Variant {
  readonly entry: Entry;
  /** Token positions that carry a patched row, ascending. */
  readonly positions: readonly number[];
  readonly start: number;
  /** `grid:cell` of every site this run answers. */
  readonly sites: readonly SiteRef[];
}

export interface SiteRef {
  readonly grid: number;
  readonly cell: number;
}

/** How a site's value comes about. `target`/`source`: equal to that run's metric by construction. */
type Outcome = 'compute' | 'target' | 'source';

export interface PairPlan {
  readonly pair: number;
  /** Grid indices still to be done for this pair. */
  readonly grids: readonly number[];
  readonly variants: readonly Variant[];
  readonly fixed: readonly { readonly site: SiteRef; readonly value: 'target' | 'source' }[];
  readonly zeros: readonly SiteRef[];
  readonly trivials: readonly SiteRef[];
  /** First position at which the prompts differ. */
  readonly first: number;
}

/** First index at which the prompts differ; their length where they do not. */
export function firstDifference(pair: PatchPair): number {
  const i = pair.clean.findIndex((id, t) => id !== pair.corrupted[t]);
  return i < 0 ? pair.clean.length : i;
}

interface Judgement {
  readonly outcome: Outcome;
  readonly zero: boolean;
  readonly trivial: boolean;
  readonly positions: readonly number[];
}

/**
 * What is known of a site before anything runs.
 * - zero: every patched token lies before the first difference (causal attention makes source and target
 *   equal there), or is an unchanged token at the embedding.
 * - trivial: the patch makes the rest of the run the source run (METHODS section 4, trap 2).
 * - no path: the patched rows cannot reach the read position; the effect is 0, but it is a measurement of
 *   the architecture, not of equal activations, so it is not marked.
 */
function judge(
  cell: Cell,
  entry: Entry,
  pair: PatchPair,
  first: number,
  residual: boolean,
  layers: number,
): Judgement {
  const read = pair.read;
  const all = cell.position < 0;
  const lo = all ? first : cell.position;
  const hi = all ? pair.clean.length - 1 : cell.position;
  const zero = { outcome: 'target', zero: true, trivial: false, positions: [] } as const;
  if (hi < first) return zero;
  const atEmbedding = entry.stage === 'x' && entry.layer === 0;
  const differs = (t: number): boolean => pair.clean[t] !== pair.corrupted[t];
  let positions = Array.from({ length: hi - lo + 1 }, (_, i) => lo + i);
  if (atEmbedding) positions = positions.filter(differs);
  if (positions.length === 0) return zero;
  const wholeEmbedding =
    atEmbedding && pair.clean.every((_, t) => !differs(t) || t > read || positions.includes(t));
  // Behind the last block's attention every step works on the read row alone, so its whole state is the source's.
  const behindAttention =
    (entry.stage === 'x' && entry.layer === layers) || (entry.stage === 'mid' && entry.layer === layers - 1);
  const finalAtRead = residual && behindAttention && positions.includes(read);
  if ((residual && all) || wholeEmbedding || finalAtRead) {
    return { outcome: lo > read ? 'target' : 'source', zero: false, trivial: true, positions };
  }
  // From the last block's attention on, only the read row matters; rows behind it never do.
  const lastOnly = entry.layer === layers || (entry.layer === layers - 1 && entry.stage !== 'x');
  const reach = positions.filter((t) => (lastOnly ? t === read : t <= read));
  if (reach.length === 0) return { outcome: 'target', zero: false, trivial: false, positions: [] };
  return { outcome: 'compute', zero: false, trivial: false, positions: reach };
}

/** The work of one pair: sites that leave the same rows behind share one run. */
export function planPair(task: PatchTask, config: ModelConfig, pairIndex: number): PairPlan | null {
  const pair = task.pairs[pairIndex];
  if (pair === undefined) return null;
  const done = new Set(task.done ?? []);
  const grids = task.grids.map((_, i) => i).filter((i) => !done.has(`${i}:${pairIndex}`));
  if (grids.length === 0) return null;
  const first = firstDifference(pair);
  const variants = new Map<string, { entry: Entry; positions: readonly number[]; sites: SiteRef[] }>();
  const fixed: { site: SiteRef; value: 'target' | 'source' }[] = [];
  const zeros: SiteRef[] = [];
  const trivials: SiteRef[] = [];
  for (const g of grids) {
    const grid = task.grids[g];
    if (grid === undefined) continue;
    const residual = hookInfo(grid.hook).residual;
    for (const cell of gridCells(grid, config, pair.clean.length)) {
      const entry = HOOK_ENTRIES[grid.hook].entry(cell.layer, cell.head);
      const site: SiteRef = { grid: g, cell: cell.index };
      const known = judge(cell, entry, pair, first, residual, config.nLayer);
      if (known.zero) zeros.push(site);
      if (known.trivial) trivials.push(site);
      if (known.outcome !== 'compute') {
        fixed.push({ site, value: known.outcome });
        continue;
      }
      const key = `${entry.stage}${entry.layer}${entry.take}${entry.head}@${known.positions.join()}`;
      const variant = variants.get(key);
      if (variant === undefined) variants.set(key, { entry, positions: known.positions, sites: [site] });
      else variant.sites.push(site);
    }
  }
  return {
    pair: pairIndex,
    grids,
    first,
    fixed,
    zeros,
    trivials,
    variants: [...variants.values()]
      .map((v) => ({ ...v, start: v.positions[0] ?? 0 }))
      .sort((a, b) => a.start - b.start || a.entry.layer - b.entry.layer),
  };
}

/** Floating-point operations of the matrix products of one row through parts of a block (2 per multiply-add). */
export function rowFlops(config: ModelConfig): { block: number; kv: number; mlp: number; project: number } {
  const d = config.dModel;
  const mlp = 2 * 2 * d * config.dMlp;
  const project = 2 * d * d;
  return { block: 2 * 3 * d * d + project + mlp, kv: 2 * 2 * d * d, mlp, project };
}

/** Bytes of float32 that one packed row and one variant need while a block runs. */
export function rowBytes(config: ModelConfig): number {
  return 4 * (10 * config.dModel + 2 * config.dMlp);
}
export function variantBytes(config: ModelConfig, tokens: number): number {
  return 4 * (4 * tokens * config.dModel + 2 * config.nHead * tokens * tokens);
}

function variantFlops(v: Variant, read: number, config: ModelConfig): number {
  const f = rowFlops(config);
  const L = config.nLayer;
  const { stage, layer } = v.entry;
  const readRow = 2 * f.project + f.mlp; // queries, output projection and MLP of the read position
  let flops = 0;
  const entryRows = v.positions.length;
  if (stage === 'mid') flops += entryRows * f.mlp;
  if (stage === 'z') flops += entryRows * (f.mlp + f.project);
  const join = stage === 'x' ? layer : layer + 1;
  const rows = read - v.start + 1;
  for (let l = join; l < L - 1; l++) flops += rows * f.block;
  if (join < L) flops += rows * f.kv + readRow;
  return flops;
}

/** What the task will cost, by the same plan that runs it. */
export function costOf(task: PatchTask, config: ModelConfig): PatchCost {
  const f = rowFlops(config);
  const fullHead = task.metrics.some((m) => m === 'prob' || m === 'log_prob' || m === 'kl');
  let sites = 0;
  let runs = 0;
  let structuralZeros = 0;
  let floorFlops = 0;
  let blocks = 0;
  let peakBytes = 0;
  task.pairs.forEach((pair, i) => {
    const plan = planPair(task, config, i);
    if (plan === null) return;
    blocks += plan.grids.length;
    for (const g of plan.grids) {
      const grid = task.grids[g];
      if (grid !== undefined) sites += gridShape(grid, config, pair.clean.length).reduce((a, n) => a * n, 1);
    }
    runs += plan.variants.length;
    structuralZeros += plan.zeros.length;
    const rows = pair.read + 1 + Math.max(0, pair.read + 1 - plan.first);
    floorFlops += rows * config.nLayer * f.block;
    const columns = fullHead ? config.vocabSize : pair.answer.length + pair.wrong.length;
    floorFlops += (plan.variants.length + 2) * 2 * config.dModel * columns;
    let packed = 0;
    for (const v of plan.variants) {
      floorFlops += variantFlops(v, pair.read, config);
      packed += (pair.read - v.start + 1) * rowBytes(config) + variantBytes(config, pair.read + 1);
    }
    peakBytes = Math.max(peakBytes, packed);
  });
  const limit = task.memoryBytes ?? DEFAULT_BATCH_BYTES;
  return { sites, runs, structuralZeros, floorFlops, blocks, peakBytes: Math.min(peakBytes, limit) };
}

/** Working memory of a packed batch where nobody says otherwise. */
export const DEFAULT_BATCH_BYTES = 256 * 2 ** 20;
