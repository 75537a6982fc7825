import { UserInputError } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import { attribute, compileAttribution, planAttribution } from '../../engine/interp/attribution/attribute.ts';
import { attributionCost } from '../../engine/interp/attribution/cost.ts';
import type { AttributeRequest } from '../api.ts';
import type { ComputeContext } from '../context.ts';
import { peakRssBytes } from '../memory.ts';
import { checkIds } from '../prompts.ts';
import { gemmSpeed } from '../speed.ts';
import { graphsOf } from './graphs.ts';
import type { Handler } from './handler.ts';

/** Share of the matrix-product speed that a forward and backward run reaches (measured; see docs/benchmarks.md). */
const EFFICIENCY = 0.6;
/** Fixed cost of one run of the graph, seconds. */
const RUN_OVERHEAD = 0.02;
/** Working memory of one run: this share of the limit, and no more than the engine's own. */
const MEMORY_SHARE = 1 / 4;
const MOST_BYTES = 512 * 2 ** 20;

/** Ids and positions must exist in the model. @throws UserInputError naming the pair. */
function prepare(
  request: AttributeRequest,
  config: ModelConfig,
  { settings }: ComputeContext,
): AttributeRequest {
  for (const pair of request.pairs) {
    checkIds(pair.clean, config, `The clean prompt of pair ${pair.id}`);
    checkIds(pair.corrupted, config, `The corrupted prompt of pair ${pair.id}`);
    checkIds(
      [...pair.answer, ...pair.wrong],
      { ...config, nCtx: Infinity },
      `The answers of pair ${pair.id}`,
    );
    if (pair.read < 0 || pair.read >= pair.clean.length) {
      throw new UserInputError(
        'PAIR_READ_OUTSIDE',
        `Pair ${pair.id}: the metric is read at position ${pair.read} of ${pair.clean.length} tokens.`,
        'Choose a position inside the prompt.',
      );
    }
  }
  const memoryBytes = request.memoryBytes ?? Math.min(MOST_BYTES, settings.memoryLimitBytes * MEMORY_SHARE);
  return { ...request, memoryBytes };
}

export const planAttribute: Handler<'planAttribute'> = async (request, { context }) => {
  const model = await context.models.get(request.folder);
  const plan = planAttribution(prepare(request, model.config, context), model.config);
  const cost = attributionCost(plan, model.config);
  const speed = await gemmSpeed(context.sessions);
  return { ...cost, seconds: cost.floorFlops / (speed * EFFICIENCY) + cost.batches * RUN_OVERHEAD };
};

/** Estimates effects by gradients; see `attribute`. */
export const attributeHandler: Handler<'attribute'> = async (request, { context, emit, checkpoint }) => {
  const loading = performance.now();
  const model = await context.models.get(request.folder);
  const plan = planAttribution(prepare(request, model.config, context), model.config);
  const cache = graphsOf(model);
  const { release } = await compileAttribution(cache, plan);
  const started = performance.now();
  try {
    for await (const block of attribute(cache, plan, checkpoint)) emit(block);
  } finally {
    release();
  }
  return {
    loadMs: started - loading,
    sweepMs: performance.now() - started,
    peakRssBytes: peakRssBytes(),
    provider: context.sessions.provider,
    threads: context.sessions.threads,
  };
};
