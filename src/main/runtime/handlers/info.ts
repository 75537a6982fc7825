import { ENGINE_VERSION } from '../../engine/version.ts';
import { listProviders } from '../providers.ts';
import { peakRssBytes } from '../memory.ts';
import type { Handler } from './handler.ts';

/** What computes here, and with what. */
export const info: Handler<'info'> = async (_request, { context: { sessions } }) => {
  await sessions.prove();
  const { provider, threads, notice } = sessions;
  return {
    engine: `engram ${ENGINE_VERSION}`,
    provider,
    providers: listProviders().map((listed) =>
      notice !== null && listed.name === sessions.asked
        ? { ...listed, available: false, note: notice }
        : listed,
    ),
    threads,
    peakRssBytes: peakRssBytes(),
    notice,
  };
};
