import type { ModelConfig } from '../../../../shared/domain/index.ts';
import { rowFlops } from '../cost.ts';
import type { PatchCost } from '../types.ts';
import type { AttributionPlan } from './attribute.ts';

/**
 * What a plan will cost. `runs` are backward passes; the floor counts, per token and block, the products of one
 * forward pass of base and source each and, for every backward pass, one back to the activations (with its own
 * forward pass where its run is not the base run).
 */
export function attributionCost(plan: AttributionPlan, config: ModelConfig): PatchCost {
  const { steps, spec, batches } = plan;
  const block = rowFlops(config).block * config.nLayer;
  const passes = spec.repeated ? 2 * steps.length : 1;
  const plain = spec.path === 'base' && spec.repeated ? 1 : 2;
  const cost = { sites: 0, baseRuns: 0, runs: 0, structuralZeros: 0, blockRows: 0, floorFlops: 0, blocks: 0 };
  let peakBytes = 0;
  let runsOfGraph = 0;
  for (const { pairs, tokens, stepsAtOnce, bytes } of batches) {
    runsOfGraph += Math.ceil(steps.length / stepsAtOnce);
    peakBytes = Math.max(peakBytes, bytes);
    cost.baseRuns += 2 * pairs.length;
    cost.runs += steps.length * pairs.length;
    cost.blockRows += pairs.length * tokens * (plain + passes) * config.nLayer;
    cost.floorFlops += pairs.length * tokens * (plain + passes) * block;
    for (const { grids } of pairs) {
      cost.blocks += grids.length;
      for (const { sites } of grids) {
        cost.sites += sites.length;
        cost.structuralZeros += sites.filter(({ place }) => place.judgement.zero).length;
      }
    }
  }
  return { ...cost, groups: runsOfGraph, batches: runsOfGraph, peakBytes };
}
