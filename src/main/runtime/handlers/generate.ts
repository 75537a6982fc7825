import { bestAtRows } from '../../engine/nn/readGraphs.ts';
import { checkIds } from '../prompts.ts';
import { i64, whole } from '../sessions.ts';
import type { Handler } from './handler.ts';

/**
 * Greedy continuation. The whole text so far is read again for every token; once it is longer than the
 * model's context, its last part is.
 */
export const generate: Handler<'generate'> = async ({ folder, ids, tokens }, { context, checkpoint }) => {
  const model = await context.models.get(folder);
  const { nCtx } = model.config;
  checkIds(ids.slice(-nCtx), model.config, 'The prompt');
  const session = await model.session('best', () => bestAtRows(model.config, model.weights));
  const text = [...ids];
  for (let made = 0; made < tokens; made++) {
    checkpoint();
    const window = text.slice(-nCtx);
    const run = await session.run({
      ids: i64(window, [1, window.length]),
      rows: i64([window.length - 1], [1]),
    });
    text.push(whole(run, 'best')[0] ?? 0);
  }
  return { ids: text.slice(ids.length) };
};
