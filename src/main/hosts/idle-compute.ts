import type { ComputeApi } from '../runtime/api.ts';
import type { ComputeClient } from '../runtime/client.ts';
import { METHODS } from '../runtime/protocol.ts';

/** Time without a call after which the process ends, milliseconds: its models take memory. */
const IDLE_MS = 10 * 60_000;

/** A compute client whose process ends when nothing was asked of it for a while; the next call starts another. */
export function idleCompute(client: ComputeClient, idleMs: number = IDLE_MS): ComputeClient {
  let calls = 0;
  let timer: NodeJS.Timeout | undefined;
  // Each method is forwarded with the values that the caller gave for it.
  const inner = client as unknown as Record<string, (...values: readonly unknown[]) => Promise<unknown>>;
  const call = async (method: keyof ComputeApi, values: readonly unknown[]): Promise<unknown> => {
    calls += 1;
    clearTimeout(timer);
    try {
      return await inner[method]?.(...values);
    } finally {
      calls -= 1;
      if (calls === 0) {
        timer = setTimeout(() => {
          client.kill();
        }, idleMs).unref();
      }
    }
  };
  const api = Object.fromEntries(
    METHODS.map((method) => [method, (...values: unknown[]) => call(method, values)]),
  ) as unknown as ComputeApi; // every method of ComputeApi, each forwarded as it is
  return {
    ...api,
    dispose: () => {
      clearTimeout(timer);
      client.dispose();
    },
    kill: () => {
      client.kill();
    },
    get running() {
      return client.running;
    },
  };
}
