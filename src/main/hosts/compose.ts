import { mkdirSync } from 'node:fs';
import { jobsWith } from '../jobs/registry.ts';
import { createInProcessClient, createRouter, EventBus, type Router } from '../ipc/index.ts';
import { spawnCompute, type ComputeClient, type SpawnOptions } from '../runtime/client.ts';
import { idleCompute } from './idle-compute.ts';
import { renewableCompute } from './renewable-compute.ts';
import { createSettingsFile } from '../services/app/settings.ts';
import type { AppDescription } from '../services/app/service.ts';
import type { ServiceContext } from '../services/context.ts';
import { createFileBroker, type HostFileBroker } from '../services/files/broker.ts';
import { createHandlers } from '../services/handlers.ts';
import { createPubmed, type Pubmed } from '../services/pubmed.ts';
import { memorySecrets, type SecretStore } from '../services/secrets.ts';
import { createStudySession } from '../services/session.ts';
import type { EngramClient } from '../../shared/contracts/index.ts';
import { cacheFolder, type AppPaths, type UserFolders } from './paths.ts';

export interface ComposeOptions {
  readonly paths: AppPaths;
  readonly folders: UserFolders;
  readonly host: AppDescription['host'];
  readonly log?: (line: string) => void;
  /** How the compute process is started, where it is no plain Node process. */
  readonly transport?: SpawnOptions['transport'];
  /** Where secrets are kept; forgotten with the process where none is given. */
  readonly secrets?: SecretStore;
  /** Overrides of the stored settings. */
  readonly threads?: number;
  readonly provider?: SpawnOptions['provider'];
}

/** The services of one host, wired. */
export interface Core {
  readonly context: ServiceContext;
  readonly compute: ComputeClient;
  readonly router: Router;
  readonly client: EngramClient;
  readonly bus: EventBus;
  readonly files: HostFileBroker;
  readonly pubmed: Pubmed;
  /** Interrupts jobs so that they continue next time, closes the study, ends the compute process. */
  close(): Promise<void>;
}

/** Settings that a compute process takes when it starts. */
const COMPUTE_SETTINGS = ['threads', 'provider', 'memoryLimitMb'] as const;

export function compose(options: ComposeOptions): Core {
  const { paths, folders } = options;
  mkdirSync(folders.data, { recursive: true });
  const bus = new EventBus();
  const emit = bus.emit.bind(bus);
  const files = createFileBroker();
  const settings = createSettingsFile(folders.data);
  const spawn = (): ComputeClient => {
    const { threads, provider, memoryLimitMb } = settings.get();
    return spawnCompute({
      entry: paths.compute,
      threads: options.threads ?? threads,
      provider: options.provider ?? provider,
      memoryLimitBytes: memoryLimitMb * 2 ** 20,
      cacheFolder: cacheFolder(folders),
      ...(options.transport === undefined ? {} : { transport: options.transport }),
    });
  };
  const compute = renewableCompute(spawn);
  const interactive = renewableCompute(() => idleCompute(spawn()));
  const pubmed = createPubmed({ settings, secrets: options.secrets ?? memorySecrets() });
  const registry = jobsWith(pubmed.job);
  const session = createStudySession({ dataFolder: folders.data, registry, compute, emit, files });
  const context: ServiceContext = {
    session,
    files,
    compute,
    interactive,
    emit,
    dataFolder: folders.data,
    studiesFolder: folders.studies,
    resources: paths.resources,
  };
  const handlers = createHandlers(
    context,
    settings,
    { version: paths.version, host: options.host },
    (before, after) => {
      const same = COMPUTE_SETTINGS.every((name) => before[name] === after[name]);
      if (same) return;
      compute.renew();
      interactive.renew();
    },
    pubmed,
  );
  const router = createRouter(handlers, {
    onError: (service, method, error) => {
      options.log?.(`${service}.${method}: ${error instanceof Error ? error.message : String(error)}`);
    },
  });
  return {
    context,
    compute,
    router,
    client: createInProcessClient(router),
    bus,
    files,
    pubmed,
    close: async () => {
      await session.close();
      compute.dispose();
      interactive.dispose();
    },
  };
}
