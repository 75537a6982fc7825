import { headWidth, isGated, kvHeads, type ModelConfig } from '../../../shared/domain/index.ts';
import { casesOf } from './cases.ts';
import { needsOf } from './metrics.ts';
import { keyTokens, type Noise } from './noise.ts';
import { planCase, type CasePlan, type Variant } from './plan.ts';
import { countSites } from './sites.ts';
import type { PatchCost, PatchTask } from './types.ts';

/**
 * Working memory of a packed batch where nobody says otherwise: about a thousand rows of GPT-2 124M, whose
 * activations stay in the processor's caches. Larger batches are no faster (docs/benchmarks.md).
 */
export const DEFAULT_BATCH_BYTES = 64 * 2 ** 20;

/** Floating-point operations of the matrix products of one row through parts of a block (2 per multiply-add). */
export function rowFlops(config: ModelConfig): { block: number; kv: number; mlp: number; project: number } {
  const d = config.dModel;
  const D = config.nHead * headWidth(config);
  const E = kvHeads(config) * headWidth(config);
  const matrices = isGated(config) ? 3 : 2; // a gated MLP has three
  const mlp = 2 * matrices * d * config.dMlp;
  const project = 2 * d * D;
  return { block: project + 2 * 2 * d * E + project + mlp, kv: 2 * 2 * d * E, mlp, project };
}

/** Bytes of float32 that one packed row and one variant need while a block runs. */
export function rowBytes(config: ModelConfig): number {
  return 4 * (10 * config.dModel + 2 * config.dMlp);
}
export function variantBytes(config: ModelConfig, tokens: number): number {
  return 4 * (4 * tokens * config.dModel + 2 * config.nHead * tokens * tokens);
}

/** Memory that one variant takes in a packed batch. */
export function bytesOfVariant(v: Variant, plan: CasePlan, config: ModelConfig): number {
  const to = lastRead(plan);
  return (to + 1 - v.start) * rowBytes(config) + variantBytes(config, to + 1);
}

/** Memory of a case's base runs while and after they run. */
export function bytesOfBase(plan: CasePlan, config: ModelConfig): number {
  return 2 * (lastRead(plan) + 1) * (rowBytes(config) + 4 * 7 * config.dModel * config.nLayer);
}

export const lastRead = (plan: CasePlan): number => plan.one.target.reads.at(-1) ?? 0;

function variantWork(v: Variant, plan: CasePlan, config: ModelConfig): { flops: number; rows: number } {
  const f = rowFlops(config);
  const L = config.nLayer;
  const reads = plan.one.target.reads.length;
  const rows = lastRead(plan) - v.start + 1;
  const readRows = reads * (2 * f.project + f.mlp); // queries, output projection and MLP of the read positions
  const entryRows = v.edits[0]?.tokens.length ?? 0;
  let flops = 0;
  if (v.entry?.stage === 'mid') flops += entryRows * f.mlp;
  if (v.entry?.stage === 'z') flops += entryRows * (f.mlp + f.project);
  const join = v.entry === null || v.entry.stage === 'x' ? v.layer : v.layer + 1;
  // Edits inside the last block want all its rows.
  const inLast = v.entry === null && v.edits.some((e) => e.layer === L - 1 && e.hook.includes('{layer}'));
  const whole = Math.max(0, (inLast ? L : L - 1) - join);
  flops += whole * rows * f.block;
  if (join < L && !inLast) flops += rows * f.kv + readRows;
  return { flops, rows: whole * rows };
}

/** What the task will cost, by the same plan that runs it. */
export function costOf(task: PatchTask, config: ModelConfig): PatchCost {
  const f = rowFlops(config);
  const sequences = task.pairs.some((p) => p.sequences !== undefined);
  const { full, cross, rank } = needsOf(task.metrics, sequences);
  const limit = task.memoryBytes ?? DEFAULT_BATCH_BYTES;
  const noise = (pair: number): Noise => {
    const tokens = task.pairs[pair] === undefined ? [] : keyTokens(task.pairs[pair]);
    return { at: new Map(tokens.map((t) => [t, new Float32Array(0)])) };
  };
  let groupBytes = 0;
  const cost = {
    groups: 0,
    sites: 0,
    baseRuns: 0,
    runs: 0,
    structuralZeros: 0,
    blockRows: 0,
    floorFlops: 0,
    blocks: 0,
  };
  let batchBytes = 0;
  let batches = 0;
  let peakBytes = 0;
  task.pairs.forEach((pair, i) => {
    for (const one of casesOf(task, i, noise)) {
      const plan = planCase(task, config, one);
      if (plan === null) continue;
      if (one.continuation === 0) {
        cost.blocks += plan.grids.length;
        for (const g of plan.grids) {
          const grid = task.grids[g];
          if (grid !== undefined) cost.sites += countSites(grid, config, one.tokens);
        }
        cost.structuralZeros += plan.zeros.length;
      }
      const base = bytesOfBase(plan, config);
      if (cost.groups === 0 || groupBytes + base > limit) {
        cost.groups++;
        groupBytes = 0;
      }
      groupBytes += base;
      cost.runs += plan.variants.length;
      cost.baseRuns += one.donor === null ? 2 : 3;
      const to = lastRead(plan);
      const rows = to + 1 + Math.max(0, to + 1 - plan.first) * (one.donor === null ? 1 : 2);
      cost.floorFlops += rows * config.nLayer * f.block;
      const columns = full || cross || rank ? config.vocabSize : pair.answer.length + pair.wrong.length;
      cost.floorFlops += (plan.variants.length + 2) * one.target.reads.length * 2 * config.dModel * columns;
      for (const v of plan.variants) {
        const work = variantWork(v, plan, config);
        cost.floorFlops += work.flops;
        cost.blockRows += work.rows;
        const bytes = bytesOfVariant(v, plan, config);
        if (batches === 0 || batchBytes + bytes > limit) {
          batches++;
          batchBytes = 0;
        }
        batchBytes += bytes;
        peakBytes = Math.max(peakBytes, batchBytes);
      }
    }
  });
  return { ...cost, batches, peakBytes };
}
