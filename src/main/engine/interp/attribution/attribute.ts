import type { ModelConfig } from '../../../../shared/domain/index.ts';
import type { GraphCache, Lease } from '../graphCache.ts';
import type { PatchBlock } from '../types.ts';
import { batchesOf, lengthOf, stepsOf, tokenBytes, type Step } from './batches.ts';
import { attributionGraph, graphName, QK_HOOKS, type GraphSpec } from './graph.ts';
import { differentiable } from './metrics.ts';
import { planPairs, wantedHooks, type PlannedPair } from './sites.ts';
import { Tally } from './tally.ts';
import type { AttributionTask, StarPart } from './types.ts';

/** Working memory of one run where nobody says otherwise. */
const DEFAULT_BYTES = 512 * 2 ** 20;

/** Pairs that run together, and how many backward passes of theirs at once. */
interface PlannedBatch {
  readonly pairs: readonly PlannedPair[];
  readonly stepsAtOnce: number;
  /** Tokens of every row. */
  readonly tokens: number;
  /** Estimated working memory of a run, bytes. */
  readonly bytes: number;
}

export interface AttributionPlan {
  readonly task: AttributionTask;
  readonly spec: GraphSpec;
  readonly steps: readonly Step[];
  readonly batches: readonly PlannedBatch[];
}

/**
 * What will be run.
 * @throws UserInputError METRIC_NO_GRADIENT, and what `planPairs` refuses.
 */
export function planAttribution(task: AttributionTask, config: ModelConfig): AttributionPlan {
  for (const metric of task.metrics) differentiable(metric, task.method, task.direction);
  const planned = planPairs(task, config);
  const has = (part: StarPart): boolean => task.method === 'atp-star' && task.parts?.includes(part) !== false;
  const gates = has('grad-drop') && config.nLayer > 1;
  const hooks = wantedHooks(planned);
  const elements = hooks.filter((h) => h.grain === 'element').length * config.dMlp;
  const limit = task.memoryBytes ?? DEFAULT_BYTES;
  const steps = stepsOf(task, gates, config);
  return {
    task,
    steps,
    spec: {
      hooks,
      metrics: task.metrics,
      path: task.method === 'ig' ? 'inputs' : 'base',
      repeated: gates || task.method === 'ig',
      gates,
      qkFix: has('qk-fix') && hooks.some(({ hook }) => QK_HOOKS.has(hook)),
      clean: task.direction === 'denoising' ? 'source' : 'base',
    },
    batches: batchesOf(planned, config, elements, limit).map((pairs) => {
      const tokens = lengthOf(pairs.flatMap(({ target, source }) => [target, source]));
      const bytes = pairs.length * tokens * tokenBytes(config, tokens, elements);
      const stepsAtOnce = Math.min(steps.length, Math.max(1, Math.floor(limit / bytes)));
      return { pairs, tokens, stepsAtOnce, bytes: bytes * stepsAtOnce };
    }),
  };
}

/** The compiled graph of a plan: a second or so for a large model. It is the caller's until it is released. */
export function compileAttribution(cache: GraphCache, { spec }: AttributionPlan): Promise<Lease> {
  return cache.lease(graphName(spec), (config, compiler) => attributionGraph(config, compiler, spec));
}

/**
 * First-order estimates of activation patching for whole grids (METHODS section 7), in the blocks of exact
 * patching: `raw` is the metric of the base run (the one patched into: corrupted for denoising, clean for
 * noising) plus the estimated change. With GradDrop the change has the mean magnitude over the passes and the
 * sign of their sum. Yields one block per grid and pair, in no fixed order of pairs. `check` is called between
 * runs of the model and throws to stop.
 */
export async function* attribute(
  cache: GraphCache,
  plan: AttributionPlan,
  check: () => void = () => undefined,
): AsyncGenerator<PatchBlock, void, undefined> {
  const { task, spec, steps, batches } = plan;
  if (batches.length === 0) return;
  const { graph, release } = await compileAttribution(cache, plan);
  try {
    for (const { pairs, stepsAtOnce } of batches) {
      const tally = new Tally(pairs, task, spec, cache.config);
      for (let from = 0; from < steps.length; from += stepsAtOnce) {
        check();
        await tally.run(graph, steps.slice(from, from + stepsAtOnce));
      }
      yield* tally.blocks(steps.length);
    }
  } finally {
    release();
  }
}
