import { UserInputError } from '../../../shared/errors/index.ts';
import { logitLens } from '../../engine/interp/views/lens.ts';
import { checkIds } from '../prompts.ts';
import { graphsOf } from './graphs.ts';
import type { Handler } from './handler.ts';

/** Logit lens of one prompt. */
export const lens: Handler<'lens'> = async (request, { context }) => {
  const model = await context.models.get(request.folder);
  const { prompt, positions, track, top } = request;
  checkIds(prompt, model.config, 'The prompt');
  if (track.length > 0) checkIds(track, { ...model.config, nCtx: Infinity }, 'The list of tokens to follow');
  const outside = positions.find((t) => !Number.isInteger(t) || t < 0 || t >= prompt.length);
  if (outside !== undefined || positions.length === 0) {
    throw new UserInputError(
      'POSITION_OUTSIDE',
      outside === undefined
        ? 'No position is to be read.'
        : `Position ${outside} is outside a prompt of ${prompt.length} tokens.`,
      'Read positions within the prompt, counted from 0.',
    );
  }
  return logitLens(graphsOf(model), { prompt, positions, track, top: Math.min(top, model.config.vocabSize) });
};
