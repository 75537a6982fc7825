import type { ModelConfig } from '../../shared/domain/index.ts';
import type { PatchCost } from '../engine/interp/types.ts';

/** Share of the matrix-product speed that packed batches reach (measured; see docs/benchmarks.md). */
const EFFICIENCY = 0.75;
/** Fixed cost of one run of one graph, seconds. */
const RUN_OVERHEAD = 0.0004;
/** What a group's base runs, too few rows for full speed, read of the weights, bytes a second. */
const WEIGHT_BANDWIDTH = 12e9;

/** Expected seconds of a plan where a large matrix product runs at `speed` operations a second. */
export function patchSeconds(
  cost: PatchCost,
  config: ModelConfig,
  weightBytes: number,
  speed: number,
): number {
  const graphs = (cost.groups + cost.batches) * (config.nLayer + 1);
  return (
    cost.floorFlops / (speed * EFFICIENCY) +
    graphs * RUN_OVERHEAD +
    (cost.groups * weightBytes) / WEIGHT_BANDWIDTH
  );
}
