import { ENGINE_VERSION } from '../../engine/version.ts';
import { listProviders } from '../providers.ts';
import { peakRssBytes } from '../memory.ts';
import type { Handler } from './handler.ts';

/** What computes here, and with what. */
export const info: Handler<'info'> = (_request, { context }) =>
  Promise.resolve({
    engine: `engram ${ENGINE_VERSION}`,
    provider: context.sessions.provider,
    providers: listProviders(),
    threads: context.sessions.threads,
    peakRssBytes: peakRssBytes(),
    notice: context.sessions.notice,
  });
