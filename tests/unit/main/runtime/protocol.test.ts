import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENGINE_VERSION } from '../../../../src/main/engine/version.ts';
import { spawnCompute } from '../../../../src/main/runtime/client.ts';
import type { HandlerTable } from '../../../../src/main/runtime/handlers/handler.ts';
import type { ParentMessage, WorkerMessage } from '../../../../src/main/runtime/protocol.ts';
import { serveCalls } from '../../../../src/main/runtime/serve.ts';
import type { ExitInfo, Transport } from '../../../../src/main/runtime/transport.ts';
import { UserInputError } from '../../../../src/shared/errors/index.ts';

/** Both ends in one process: what is posted arrives later, copied as between processes. */
function pair(handlers: Partial<HandlerTable>): {
  start: () => Transport;
  crash: (info: ExitInfo) => void;
  started: () => number;
} {
  let count = 0;
  let ended: ((info: ExitInfo) => void) | undefined;
  const start = (): Transport => {
    count += 1;
    let toParent: ((m: WorkerMessage) => void) | undefined;
    let toWorker: ((m: ParentMessage) => void) | undefined;
    const later = <M>(to: () => ((m: M) => void) | undefined, m: M): void => {
      const copy = structuredClone(m);
      setImmediate(() => to()?.(copy));
    };
    serveCalls(
      { post: (m) => later(() => toParent, m), onMessage: (l) => (toWorker = l), onClose: () => undefined },
      handlers,
      () => undefined,
    );
    return {
      post: (m) => later(() => toWorker, m),
      onMessage: (l) => (toParent = l),
      onExit: (l) => (ended = l),
      kill: () => undefined,
      hold: () => undefined,
    };
  };
  return { start, crash: (info) => ended?.(info), started: () => count };
}

const forever = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

const handlers: Partial<HandlerTable> = {
  generate: ({ ids, tokens }) => Promise.resolve({ ids: ids.map((id) => id + tokens) }),
  evaluate: async (_request, { emit, signal, checkpoint }) => {
    emit({ done: 1, total: 2 });
    await forever(signal);
    checkpoint();
    return { loss: 0, tokens: 0 };
  },
  load: ({ folder }) =>
    Promise.reject(new UserInputError('NO_SUCH', `${folder} is not there.`, 'Choose another.')),
};
const data = { ids: new Int32Array(), lengths: new Int32Array(), count: 0, length: 0 };
const never = { folder: 'f', data, batchSize: 1 };

describe('calls to the compute process', () => {
  it('carry requests and results', async () => {
    const compute = spawnCompute({ entry: 'e', transport: pair(handlers).start });
    expect(await compute.generate({ folder: 'f', ids: [1, 2], tokens: 3 })).toEqual({ ids: [4, 5] });
  });

  it('carry events, and cancel', async () => {
    const compute = spawnCompute({ entry: 'e', transport: pair(handlers).start });
    const stop = new AbortController();
    const events: unknown[] = [];
    const call = compute.evaluate(never, {
      signal: stop.signal,
      onEvent: (e) => {
        events.push(e);
        stop.abort();
      },
    });
    await expect(call).rejects.toMatchObject({ kind: 'cancelled', code: 'CANCELLED' });
    expect(events).toEqual([{ done: 1, total: 2 }]);
  });

  it('carry errors whole', async () => {
    const compute = spawnCompute({ entry: 'e', transport: pair(handlers).start });
    await expect(compute.load({ folder: 'f' })).rejects.toMatchObject({
      kind: 'user',
      code: 'NO_SUCH',
      message: 'f is not there.',
      next: 'Choose another.',
    });
    await expect(compute.selfCheck()).rejects.toMatchObject({ kind: 'invariant' });
  });

  it('fail with the reason when the process crashes, and start another', async () => {
    const { start, crash, started } = pair(handlers);
    const compute = spawnCompute({ entry: 'e', transport: start });
    const call = compute.evaluate(never);
    crash({ code: null, signal: 'SIGSEGV', tail: 'first\nlast words' });
    await expect(call).rejects.toMatchObject({
      code: 'COMPUTE_CRASHED',
      message: expect.stringMatching(/SIGSEGV.*evaluate.*last words/) as string,
    });
    await compute.generate({ folder: 'f', ids: [], tokens: 0 });
    expect(started()).toBe(2);
  });
});

describe('the version that results are stored with', () => {
  it("is the package's", () => {
    const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(ENGINE_VERSION);
  });
});
