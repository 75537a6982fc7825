import { contract, type EngramClient } from '../../shared/contracts/index.ts';
import type { Router } from './router.ts';

/** A client in the same process, checked at the border like any other; the CLI uses it. */
export function createInProcessClient(router: Router): EngramClient {
  const services = Object.entries(contract).map(([service, methods]) => {
    const calls = Object.keys(methods).map((name) => [
      name,
      (input: unknown) => router.call(service, name, input),
    ]);
    const client: unknown = Object.fromEntries(calls);
    return [service, client];
  });
  // Built from the contract's own keys; the router parses every output with the contract's schema.
  return Object.fromEntries(services) as EngramClient;
}
