import { z } from 'zod';
import { HubManifest } from '../../shared/domain/index.ts';
import { UserInputError } from '../../shared/errors/index.ts';
import { fetchHubModel, hubAccess, hubListing, requireSpace } from '../models/hub/index.ts';
import { checkModelFolder } from '../models/index.ts';
import { defineJob } from './definition.ts';
import { imported, importModelFolder } from './model-import.ts';

const MEGABYTE = 1e6;

/**
 * Fetches a model from a hub into a folder of the user, verified file by file, and takes it into the study.
 * The manifest is the one the user saw. Interrupted anywhere, it goes on from the bytes on disk.
 */
export const modelGet = defineJob({
  kind: 'model-get',
  params: z.object({
    manifest: HubManifest,
    folder: z.string(),
    name: z.string().trim().min(1).max(80),
  }),
  heavy: false,
  title: ({ manifest }) => `Get model ${manifest.repo}`,
  run: async (context) => {
    const { params, study, signal, progress, log } = context;
    const { manifest, folder, name } = params;
    const total = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    log(`${manifest.repo} at commit ${manifest.commit} from ${manifest.hub} to ${folder}`);
    const { missingBytes } = await hubListing(manifest, folder);
    // The study keeps a copy of its own; both must fit before anything is fetched.
    await requireSpace(`${manifest.repo} with the study’s copy`, [
      { folder, bytes: missingBytes },
      { folder: study.folder, bytes: total },
    ]);
    await fetchHubModel(hubAccess(manifest.hub, manifest.hub), manifest, folder, {
      signal,
      log,
      progress: (bytes, message) => {
        progress(megabytes(bytes), megabytes(total), 'MB', message);
      },
    });
    const checks = await checkModelFolder(folder);
    for (const { item, ok, detail } of checks) log(`${item}: ${ok ? '' : 'NOT USABLE: '}${detail}`);
    const fault = checks.find(({ ok }) => !ok);
    if (fault !== undefined) {
      throw new UserInputError(
        'MODEL_FOLDER_UNUSABLE',
        `${manifest.repo} was fetched to ${folder}, but cannot be used: ${fault.item}: ${fault.detail}`,
        'Choose another model; the folder can be deleted.',
      );
    }
    return imported(await importModelFolder({ ...context, params: { folder, name } }));
  },
});

const megabytes = (bytes: number): number => Math.round((bytes / MEGABYTE) * 10) / 10;
