import type { ComputeApi } from '../runtime/api.ts';
import type { ComputeClient } from '../runtime/client.ts';
import { METHODS } from '../runtime/protocol.ts';

/** A compute client whose settings can change while calls run. */
export interface RenewableCompute extends ComputeClient {
  /** New calls go to a new process; the old one ends when its last call is answered. */
  renew(): void;
}

interface Held {
  readonly client: ComputeClient;
  calls: number;
  retired: boolean;
}

export function renewableCompute(make: () => ComputeClient): RenewableCompute {
  const hold = (): Held => ({ client: make(), calls: 0, retired: false });
  let current = hold();

  const call = async (method: keyof ComputeApi, values: readonly unknown[]): Promise<unknown> => {
    const held = current;
    held.calls += 1;
    try {
      // The values are those that the caller gave for the method of this name.
      const client = held.client as unknown as Record<
        string,
        (...values: readonly unknown[]) => Promise<unknown>
      >;
      return await client[method]?.(...values);
    } finally {
      held.calls -= 1;
      if (held.retired && held.calls === 0) held.client.dispose();
    }
  };
  const api = Object.fromEntries(
    METHODS.map((method) => [method, (...values: unknown[]) => call(method, values)]),
  ) as unknown as ComputeApi; // every method of ComputeApi, each forwarded as it is

  return {
    ...api,
    renew: () => {
      const old = current;
      current = hold();
      old.retired = true;
      if (old.calls === 0) old.client.dispose();
    },
    dispose: () => {
      current.client.dispose();
    },
    kill: () => {
      current.client.kill();
    },
    get running() {
      return current.client.running;
    },
  };
}
