import type { ComputeSettings } from './protocol.ts';
import { ModelCache } from './modelCache.ts';
import { SessionFactory } from './sessions.ts';

/** What the handlers of one compute process share. */
export interface ComputeContext {
  readonly settings: ComputeSettings;
  readonly sessions: SessionFactory;
  readonly models: ModelCache;
}

export function createContext(settings: ComputeSettings): ComputeContext {
  const sessions = new SessionFactory(settings);
  const { cacheFolder, memoryLimitBytes } = settings;
  const options = cacheFolder === undefined ? {} : { cacheFolder };
  return { settings, sessions, models: new ModelCache(sessions, memoryLimitBytes, options) };
}
