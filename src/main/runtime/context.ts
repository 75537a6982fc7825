import type { ComputeSettings } from './protocol.ts';
import { ModelCache, type LoadedModel } from './modelCache.ts';
import { firstBlockCheck, knownModelCheck } from './selfcheck/providers.ts';
import { SessionFactory } from './sessions.ts';

/** What the handlers of one compute process share. */
export interface ComputeContext {
  readonly settings: ComputeSettings;
  readonly sessions: SessionFactory;
  readonly models: ModelCache;
}

export function createContext(settings: ComputeSettings): ComputeContext {
  const sessions = new SessionFactory(settings, knownModelCheck);
  const { cacheFolder, memoryLimitBytes } = settings;
  const options = {
    ...(cacheFolder === undefined ? {} : { cacheFolder }),
    proveModel: (model: LoadedModel) => proveModel(sessions, model),
  };
  return { settings, sessions, models: new ModelCache(sessions, memoryLimitBytes, options) };
}

/** A provider other than the CPU has to agree with it on the model's own weights before it is used for it. */
async function proveModel(sessions: SessionFactory, model: LoadedModel): Promise<void> {
  await sessions.prove();
  if (sessions.provider === 'cpu') return;
  const check = firstBlockCheck(model, (graph, options) => sessions.openOn('cpu', graph, options));
  await sessions.compare(check, `the first block of ${model.folder.folder}`);
}
