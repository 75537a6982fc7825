import { join } from 'node:path';
import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { modelGet } from '../../jobs/model-get.ts';
import { hubAccess, hubFolder, hubListing, listHubModel } from '../../models/hub/index.ts';
import type { ServiceContext } from '../context.ts';

/** Longest wait for the hub's list, milliseconds: a person waits for it. */
const LISTING_MS = 30_000;

/** The folder below which fetched models lie, shared by all studies of a user. */
export function fetchedModels({ dataFolder }: Pick<ServiceContext, 'dataFolder'>): string {
  return join(dataFolder, 'models');
}

/** Implements `models.hubFiles` and `models.get`: what a model needs from the hub, and its download as a job. */
export function createHubMethods(
  context: ServiceContext,
  setting: () => string,
): Pick<ServiceHandlers<typeof contract.models>, 'hub' | 'hubFiles' | 'get'> {
  const folderOf = (manifest: { repo: string; commit: string }): string =>
    hubFolder(fetchedModels(context), manifest);
  return {
    hub: () => ({ url: hubAccess(null, setting()).hub }),
    hubFiles: async ({ name }) => {
      const access = { ...hubAccess(null, setting()), idleMs: LISTING_MS };
      const manifest = await listHubModel(access, name, 'main', new AbortController().signal);
      return hubListing(manifest, folderOf(manifest));
    },
    get: ({ manifest, name }) => {
      const { hub } = hubAccess(null, setting());
      if (manifest.hub !== hub) {
        throw new UserInputError(
          'HUB_CHANGED',
          `The files were listed at ${manifest.hub}; the hub in use is ${hub} now.`,
          'List the files again.',
        );
      }
      const { queue } = context.session.require();
      return { jobId: queue.start(modelGet, { manifest, folder: folderOf(manifest), name }).id };
    },
  };
}
