import { logitsAtRows } from '../../engine/nn/readGraphs.ts';
import type { Handler } from './handler.ts';

/** Opens a folder and compiles the model, so that the first question is answered at once. */
export const load: Handler<'load'> = async ({ folder }, { context }) => {
  const start = performance.now();
  const model = await context.models.get(folder);
  await model.session('logits', () => logitsAtRows(model.config, model.weights));
  return { config: model.config, milliseconds: performance.now() - start };
};

/** Forgets the sessions of a folder, or of all. */
export const release: Handler<'release'> = async ({ folder }, { context }) => {
  await context.models.release(folder);
};
