import { UserInputError } from '../../../shared/errors/index.ts';
import { directLogitAttribution } from '../../engine/interp/views/dla.ts';
import { checkIds } from '../prompts.ts';
import { graphsOf } from './graphs.ts';
import type { Handler } from './handler.ts';

/** Direct logit attribution of prompts. */
export const dla: Handler<'dla'> = async ({ folder, prompts }, { context }) => {
  const model = await context.models.get(folder);
  prompts.forEach(({ ids, answer, wrong, read }, i) => {
    checkIds(ids, model.config, `Prompt ${i}`);
    checkIds(answer, { ...model.config, nCtx: Infinity }, `The answer of prompt ${i}`);
    checkIds(wrong, { ...model.config, nCtx: Infinity }, `The wrong answer of prompt ${i}`);
    if (!Number.isInteger(read) || read < 0 || read >= ids.length) {
      throw new UserInputError(
        'POSITION_OUTSIDE',
        `Position ${read} is outside prompt ${i}, which has ${ids.length} tokens.`,
        'Read a position within the prompt, counted from 0.',
      );
    }
  });
  return directLogitAttribution(graphsOf(model), prompts);
};
