import { UserInputError } from '../../../shared/errors/index.ts';
import { attentionPatterns } from '../../engine/interp/views/attention.ts';
import { checkIds } from '../prompts.ts';
import { graphsOf } from './graphs.ts';
import type { Handler } from './handler.ts';

/** Weights returned for one prompt at most. */
const MOST_VALUES = 2 ** 25;

/** Attention patterns of some layers, prompt by prompt. */
export const attention: Handler<'attention'> = async ({ folder, prompts, layers }, { context }) => {
  const model = await context.models.get(folder);
  const { nLayer, nHead } = model.config;
  const outside = layers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= nLayer);
  if (outside !== undefined) {
    throw new UserInputError(
      'LAYER_OUTSIDE',
      `There is no layer ${outside}: the model has ${nLayer}.`,
      'Layers count from 0.',
    );
  }
  prompts.forEach((ids, i) => {
    checkIds(ids, model.config, `Prompt ${i}`);
    const values = layers.length * nHead * ids.length ** 2;
    if (values <= MOST_VALUES) return;
    throw new UserInputError(
      'ATTENTION_TOO_LARGE',
      `Prompt ${i} has ${ids.length} tokens: the patterns of ${layers.length} layers have ${values} weights, of at most ${MOST_VALUES}.`,
      'Ask for fewer layers at once, or a shorter prompt.',
    );
  });
  return attentionPatterns(graphsOf(model), prompts, layers);
};
