import { patchNaively } from '../../engine/interp/naive.ts';
import { needsOf } from '../../engine/interp/metrics.ts';
import { checkTask, patch } from '../../engine/interp/patch.ts';
import { costOf } from '../../engine/interp/cost.ts';
import { PatchSessions } from '../../engine/interp/sessions.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { headWidth, kvHeads, type ModelConfig } from '../../../shared/domain/index.ts';
import type { PatchRequest } from '../api.ts';
import { ModelCompiler } from '../compiler.ts';
import type { LoadedModel } from '../modelCache.ts';
import { patchSeconds } from '../patchSeconds.ts';
import { gemmSpeed } from '../speed.ts';
import type { Handler } from './handler.ts';

/** The compiled graphs of a model live as long as it is loaded. */
const sessionsOf = new WeakMap<LoadedModel, Opened>();

interface Opened {
  readonly sessions: PatchSessions;
  readonly compiler: ModelCompiler;
}

/** Graphs of patching over a loaded model. */
export function openSessions(model: LoadedModel): Opened {
  let open = sessionsOf.get(model);
  if (open === undefined) {
    const compiler = new ModelCompiler(model);
    open = { compiler, sessions: new PatchSessions(model.config, compiler) };
    sessionsOf.set(model, open);
  }
  return open;
}

/**
 * Ids and positions must exist in the model. @throws UserInputError naming the pair.
 */
export function validate(request: Pick<PatchRequest, 'pairs'>, config: ModelConfig): void {
  for (const pair of request.pairs) {
    const { clean, corrupted, read, sequences } = pair;
    const longest = Math.max(
      0,
      ...[...(sequences?.answer ?? []), ...(sequences?.wrong ?? [])].map((ids) => ids.length - 1),
    );
    for (const prompt of [clean, corrupted]) {
      if (prompt.length + longest <= config.nCtx) continue;
      throw new UserInputError(
        'PAIR_TOO_LONG',
        `Pair ${pair.id} has ${prompt.length + longest} tokens; the model reads at most ${config.nCtx}.`,
        'Shorten both prompts.',
      );
    }
    const ids = [
      clean,
      corrupted,
      pair.donor ?? [],
      pair.answer,
      pair.wrong,
      ...(sequences?.answer ?? []),
      ...(sequences?.wrong ?? []),
    ];
    const outside = ids.flat().find((id) => id >= config.vocabSize);
    if (outside !== undefined) {
      throw new UserInputError(
        'TOKEN_OUTSIDE_VOCABULARY',
        `Pair ${pair.id}: token id ${outside} is outside the model's vocabulary of ${config.vocabSize}.`,
        'Make the pairs with the tokenizer that belongs to this model.',
      );
    }
    if (read < 0 || read >= clean.length || (pair.readCorrupted ?? read) >= corrupted.length) {
      throw new UserInputError(
        'PAIR_READ_OUTSIDE',
        `Pair ${pair.id}: the metric is read at position ${read} of ${Math.min(clean.length, corrupted.length)} tokens.`,
        'Choose a position inside the prompt.',
      );
    }
  }
}

/** The other model of a `model` source. @throws UserInputError MODEL_SHAPES_DIFFER. */
export async function otherModel(
  request: Pick<PatchRequest, 'source'>,
  model: LoadedModel,
  models: { get(folder: string): Promise<LoadedModel> },
): Promise<Opened | undefined> {
  if (request.source?.kind !== 'model') return undefined;
  const other = await models.get(request.source.folder);
  const shape = ({ config: c }: LoadedModel): string =>
    [c.family, c.nLayer, c.nHead, kvHeads(c), headWidth(c), c.dModel, c.dMlp, c.vocabSize].join();
  if (shape(other) !== shape(model)) {
    throw new UserInputError(
      'MODEL_SHAPES_DIFFER',
      `${other.folder.folder} and ${model.folder.folder} have not the same shape.`,
      'Patch between models with the same layers, heads, widths and vocabulary, such as a base model and its fine-tuned child.',
    );
  }
  return openSessions(other);
}

export const planPatch: Handler<'planPatch'> = async (request, { context }) => {
  const model = await context.models.get(request.folder);
  validate(request, model.config);
  checkTask(request, model.config);
  const cost = costOf(request, model.config);
  const speed = await gemmSpeed(context.sessions);
  const seconds = patchSeconds(cost, model.config, model.weightBytes, speed);
  return { ...cost, seconds };
};

export const patchHandler: Handler<'patch'> = async (request, call) => {
  const loading = performance.now();
  const model = await call.context.models.get(request.folder);
  validate(request, model.config);
  const { sessions, compiler } = openSessions(model);
  const other = await otherModel(request, model, call.context.models);
  await sessions.warm(
    needsOf(
      request.metrics,
      request.pairs.some((p) => p.sequences !== undefined),
    ),
  );
  const started = performance.now();
  const check = (): void => call.checkpoint();
  const blocks =
    request.strategy === 'naive'
      ? patchNaively(sessions, compiler, request, {
          check,
          other: other && { config: other.sessions.config, compiler: other.compiler },
        })
      : patch(sessions, request, { check, other: other?.sessions });
  for await (const block of blocks) call.emit(block);
  return {
    loadMs: started - loading,
    sweepMs: performance.now() - started,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    provider: call.context.sessions.provider,
    threads: call.context.sessions.threads,
  };
};
