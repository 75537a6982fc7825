import type { ServiceContext } from '../context.ts';
import type { SettingsFile } from '../app/settings.ts';
import type { ProviderName } from '../../runtime/providers.ts';

export interface Machine {
  /** What training may use. */
  readonly memoryBytes: number;
  /** Floating-point operations a second of a large matrix product, on all threads. */
  readonly flops: number;
  readonly provider: ProviderName;
}

/**
 * What training may use, and how fast matrix products are: measured once for a choice of threads and provider,
 * so that an estimate need not wait for, or be misled by, what else is being computed.
 */
export function createMachine(
  { compute }: Pick<ServiceContext, 'compute'>,
  settings: Pick<SettingsFile, 'get'>,
): () => Promise<Machine> {
  const measured = new Map<string, Promise<number>>();
  const speed = (key: string): Promise<number> => {
    const known = measured.get(key);
    if (known !== undefined) return known;
    const made = compute.selfCheck().then(({ gflops }) => gflops * 1e9);
    measured.set(key, made);
    made.catch(() => measured.delete(key));
    return made;
  };
  return async () => {
    const { threads, provider, memoryLimitMb } = settings.get();
    const flops = await speed(`${provider}:${threads}`);
    return { flops, memoryBytes: memoryLimitMb * 2 ** 20, provider };
  };
}
