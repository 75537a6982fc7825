import { UserInputError } from '../../../shared/errors/index.ts';
import { nllAtRows } from '../../engine/nn/readGraphs.ts';
import { checkBlock, evaluateBlock, tokenMean } from '../training/evaluate.ts';
import type { Handler } from './handler.ts';

/** Every real token counts, padding never. */
const EVERY_TOKEN = { paddingInLoss: false, paddingAttended: true, maskedLabel: null };

/** Mean negative log-likelihood of the next token over all real tokens of a block of sequences. */
export const evaluate: Handler<'evaluate'> = async ({ folder, data }, call) => {
  const model = await call.context.models.get(folder);
  checkBlock(data, model.config, 'The data');
  const session = await model.session('evaluate', () => nllAtRows(model.config, model.weights));
  const losses = await evaluateBlock({
    data,
    vocabSize: model.config.vocabSize,
    rules: EVERY_TOKEN,
    run: (feeds) => session.run(feeds),
    between: (done, total) => {
      call.checkpoint();
      call.emit({ done, total });
    },
  });
  const tokens = losses.tokens.reduce((sum, n) => sum + n, 0);
  if (tokens === 0) {
    throw new UserInputError(
      'EVALUATION_EMPTY',
      'No sequence has two tokens, so that nothing can be predicted.',
      'Choose a dataset with text in it.',
    );
  }
  return { loss: tokenMean(losses), tokens };
};
