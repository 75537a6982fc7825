import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventHub } from '../../../src/renderer/client/client.ts';
import type { Transport } from '../../../src/renderer/client/transport.ts';
import { ErrorStore } from '../../../src/renderer/state/errors.svelte.ts';
import { Session } from '../../../src/renderer/state/session.svelte.ts';
import type { EngramClient } from '../../../src/shared/contracts/index.ts';

type Info = Awaited<ReturnType<EngramClient['app']['info']>>;
const info = (notice: string | null): Info => ({
  version: '0',
  engine: 'engram 0',
  host: 'browser',
  provider: 'cpu',
  providers: [],
  threads: 1,
  memoryBytes: 2,
  usedBytes: 1,
  notice,
  node: '24',
});

afterEach(() => vi.useRealTimers());

describe('the device', () => {
  it('says once that the CPU stands in, and again only for another reason', async () => {
    vi.useFakeTimers();
    let notice: string | null = null;
    const errors = new ErrorStore();
    // Only app.info is asked, and no event comes.
    const client = { app: { info: () => Promise.resolve(info(notice)) } } as unknown as EngramClient;
    const silent = { onEvent: () => () => undefined } as unknown as Transport;
    const session = new Session(client, new EventHub(silent), errors);
    await session.refreshInfo();
    expect(errors.notices).toEqual([]);
    notice = 'The webgpu provider could not be used: no adapter. The CPU computes instead.';
    await session.refreshInfo();
    await session.refreshInfo();
    expect(errors.notices.map(({ error }) => [error.code, error.message])).toEqual([
      ['PROVIDER_FALLBACK', notice],
    ]);
    errors.dismiss(errors.notices[0]?.id ?? 0);
    await session.refreshInfo();
    expect(errors.notices).toEqual([]);
    notice = 'The webgpu provider differs.';
    await session.refreshInfo();
    expect(errors.notices).toHaveLength(1);
  });
});
