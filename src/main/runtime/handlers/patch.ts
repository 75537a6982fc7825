import { patchNaively } from '../../engine/interp/naive.ts';
import { needsOf } from '../../engine/interp/metrics.ts';
import { patch } from '../../engine/interp/patch.ts';
import { costOf } from '../../engine/interp/plan.ts';
import { PatchSessions } from '../../engine/interp/sessions.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { PatchRequest } from '../api.ts';
import { ModelCompiler } from '../compiler.ts';
import type { LoadedModel } from '../modelCache.ts';
import { gemmSpeed } from '../speed.ts';
import type { Handler } from './handler.ts';

/** Share of the matrix-product speed that packed batches reach (measured; see docs/benchmarks.md). */
const EFFICIENCY = 0.7;
/** Fixed cost of one run of one graph, seconds. */
const RUN_OVERHEAD = 0.0004;

/** The compiled graphs of a model live as long as it is loaded. */
const sessionsOf = new WeakMap<LoadedModel, { sessions: PatchSessions; compiler: ModelCompiler }>();

function openSessions(model: LoadedModel): { sessions: PatchSessions; compiler: ModelCompiler } {
  let open = sessionsOf.get(model);
  if (open === undefined) {
    const compiler = new ModelCompiler(model);
    open = { compiler, sessions: new PatchSessions(model.config, compiler) };
    sessionsOf.set(model, open);
  }
  return open;
}

/** Ids and positions must exist in the model. @throws UserInputError naming the pair. */
function validate(request: PatchRequest, config: ModelConfig): void {
  for (const pair of request.pairs) {
    const { clean, corrupted } = pair;
    if (clean.length !== corrupted.length) {
      throw new UserInputError(
        'PAIR_UNEQUAL_LENGTH',
        `Pair ${pair.id}: the clean prompt has ${clean.length} tokens and the corrupted one ${corrupted.length}.`,
        'Rewrite one of them to equal length, or leave the pair out.',
      );
    }
    if (clean.length > config.nCtx) {
      throw new UserInputError(
        'PAIR_TOO_LONG',
        `Pair ${pair.id} has ${clean.length} tokens; the model reads at most ${config.nCtx}.`,
        'Shorten both prompts.',
      );
    }
    const outside = [...clean, ...corrupted, ...pair.answer, ...pair.wrong].find(
      (id) => id >= config.vocabSize,
    );
    if (outside !== undefined) {
      throw new UserInputError(
        'TOKEN_OUTSIDE_VOCABULARY',
        `Pair ${pair.id}: token id ${outside} is outside the model's vocabulary of ${config.vocabSize}.`,
        'Make the pairs with the tokenizer that belongs to this model.',
      );
    }
    if (pair.read < 0 || pair.read >= clean.length) {
      throw new UserInputError(
        'PAIR_READ_OUTSIDE',
        `Pair ${pair.id}: the metric is read at position ${pair.read} of ${clean.length} tokens.`,
        'Choose a position inside the prompt.',
      );
    }
  }
}

export const planPatch: Handler<'planPatch'> = async (request, { context }) => {
  const model = await context.models.get(request.folder);
  validate(request, model.config);
  const cost = costOf(request, model.config);
  const speed = await gemmSpeed(context.sessions);
  const runs = Math.ceil(cost.blocks / request.grids.length) * (model.config.nLayer + 1) * 2;
  return { ...cost, seconds: cost.floorFlops / (speed * EFFICIENCY) + runs * RUN_OVERHEAD };
};

export const patchHandler: Handler<'patch'> = async (request, call) => {
  const loading = performance.now();
  const model = await call.context.models.get(request.folder);
  validate(request, model.config);
  const { sessions, compiler } = openSessions(model);
  await sessions.warm(needsOf(request.metrics));
  const started = performance.now();
  const check = (): void => call.checkpoint();
  const blocks =
    request.strategy === 'naive'
      ? patchNaively(sessions, compiler, request, check)
      : patch(sessions, request, { check });
  for await (const block of blocks) call.emit(block);
  return {
    loadMs: started - loading,
    sweepMs: performance.now() - started,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    provider: call.context.sessions.provider,
    threads: call.context.sessions.threads,
  };
};
