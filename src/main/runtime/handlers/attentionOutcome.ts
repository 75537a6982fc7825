import { attentionOutcome } from '../../engine/interp/attentionOutcome.ts';
import { WholeModel } from '../../engine/interp/wholeModel.ts';
import type { ModelCompiler } from '../compiler.ts';
import type { Handler } from './handler.ts';
import { openSessions, otherModel, validate } from './patch.ts';

/** Graphs of whole runs live as long as the model is loaded. */
const wholeModels = new WeakMap<ModelCompiler, WholeModel>();

function wholeModel({ sessions, compiler }: ReturnType<typeof openSessions>): WholeModel {
  const model = wholeModels.get(compiler) ?? new WholeModel(sessions.config, compiler);
  wholeModels.set(compiler, model);
  return model;
}

/** Attention as the outcome of a joint patch; as `patch`, but always the whole model. */
export const attentionOutcomeHandler: Handler<'attentionOutcome'> = async (request, call) => {
  const model = await call.context.models.get(request.folder);
  validate(request, model.config);
  const opened = openSessions(model);
  const other = await otherModel(request, model, call.context.models);
  const started = performance.now();
  const outcomes = attentionOutcome(opened.sessions, wholeModel(opened), request, {
    check: () => call.checkpoint(),
    other: other && { sessions: other.sessions, model: wholeModel(other) },
  });
  for await (const outcome of outcomes) call.emit(outcome);
  return { milliseconds: performance.now() - started };
};
