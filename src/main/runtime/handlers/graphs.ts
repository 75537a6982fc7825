import { GraphCache } from '../../engine/interp/graphCache.ts';
import { ModelCompiler } from '../compiler.ts';
import type { LoadedModel } from '../modelCache.ts';

const caches = new WeakMap<LoadedModel, GraphCache>();

/** The graphs of gradients and views of a model; they live as long as it is loaded. */
export function graphsOf(model: LoadedModel): GraphCache {
  const cache = caches.get(model) ?? new GraphCache(model.config, new ModelCompiler(model));
  caches.set(model, cache);
  return cache;
}
