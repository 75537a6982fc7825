import type { GraphCache } from '../graphCache.ts';
import type { PatchBlock } from '../types.ts';
import { batchesOf, lengthOf, stepsOf, tokenBytes } from './batches.ts';
import { attributionGraph, graphName, QK_HOOKS, type GraphSpec } from './graph.ts';
import { differentiable } from './metrics.ts';
import { planPairs, wantedHooks } from './sites.ts';
import { Tally } from './tally.ts';
import type { AttributionTask, StarPart } from './types.ts';

/** Working memory of one run where nobody says otherwise. */
const DEFAULT_BYTES = 512 * 2 ** 20;

export interface AttributionOptions {
  /** Called between runs of the model; throws to stop. */
  readonly check?: () => void;
}

/**
 * First-order estimates of activation patching for whole grids (METHODS section 7), in the blocks of exact
 * patching: `raw` is the metric of the base run (the one patched into: corrupted for denoising, clean for
 * noising) plus the estimated change. With `atp-star` the change has the magnitude of GradDrop and the sign of
 * the sum over its passes. Yields one block per grid and pair, in no fixed order of pairs.
 * @throws UserInputError METRIC_NO_GRADIENT, and what `planPairs` refuses.
 */
export async function* attribute(
  cache: GraphCache,
  task: AttributionTask,
  options: AttributionOptions = {},
): AsyncGenerator<PatchBlock, void, undefined> {
  const { config } = cache;
  for (const metric of task.metrics) differentiable(metric, task.method, task.direction);
  const planned = planPairs(task, config);
  if (planned.length === 0) return;
  const has = (part: StarPart): boolean => task.method === 'atp-star' && task.parts?.includes(part) !== false;
  const gates = has('grad-drop') && config.nLayer > 1;
  const hooks = wantedHooks(planned);
  const spec: GraphSpec = {
    hooks,
    metrics: task.metrics,
    path: task.method === 'ig' ? 'inputs' : 'base',
    repeated: gates || task.method === 'ig',
    gates,
    qkFix: has('qk-fix') && hooks.some(({ hook }) => QK_HOOKS.has(hook)),
    clean: task.direction === 'denoising' ? 'source' : 'base',
  };
  const elements = hooks.filter((h) => h.grain === 'element').length * config.dMlp;
  const limit = task.memoryBytes ?? DEFAULT_BYTES;
  const steps = stepsOf(task, gates, config);
  const graph = await cache.get(graphName(spec), (c, compiler) => attributionGraph(c, compiler, spec));
  for (const batch of batchesOf(planned, config, elements, limit)) {
    const T = lengthOf(batch.flatMap(({ target, source }) => [target, source]));
    const atOnce = Math.max(1, Math.floor(limit / (batch.length * T * tokenBytes(config, T, elements))));
    const tally = new Tally(batch, task, spec, config);
    for (let from = 0; from < steps.length; from += atOnce) {
      options.check?.();
      await tally.run(graph, steps.slice(from, from + atOnce));
    }
    yield* tally.blocks(steps.length);
  }
}
