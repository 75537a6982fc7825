import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { HubManifest, ModelId, type HubListing, type Model } from '../../../../shared/domain/index.ts';
import { CancelledError, UserInputError } from '../../../../shared/errors/index.ts';
import { modelGet } from '../../../jobs/model-get.ts';
import {
  fetchHubModel,
  hubAccess,
  hubFolder,
  hubListing,
  listHubModel,
  type HubAccess,
} from '../../../models/hub/index.ts';
import { checkModelFolder } from '../../../models/index.ts';
import { createSettingsFile } from '../../../services/app/settings.ts';
import { fetchedModels } from '../../../services/models/hub.ts';
import { nameOf, userFolders } from '../../paths.ts';
import type { CommandContext, Run } from '../command.ts';
import { readJsonFile } from '../parse.ts';
import { withStudy } from '../study.ts';
import type { Terminal } from '../terminal.ts';

interface GetFlags {
  readonly list?: boolean;
  readonly manifest?: string;
  readonly folder?: string;
  readonly name?: string;
  readonly revision: string;
  readonly hub?: string;
}

export function defineModelGet(model: Command, run: Run): void {
  model
    .command('get')
    .description('fetch a model from the Hugging Face hub, verified; nothing is sent before')
    .argument('<name>', 'gpt2, gpt2-medium, gpt2-large, gpt2-xl, distilgpt2, or owner/name')
    .argument('[study]', 'study folder to import it to; created where there is none')
    .option('--list', 'only say which files there are: addresses, sizes, checksums, folder')
    .option('--manifest <file>', 'files as --list --json wrote them, instead of asking the hub')
    .option('--folder <dir>', 'where the files go, or lie already; default: the folder of fetched models')
    .option('--name <name>', 'name in the study; default: the model’s')
    .option('--revision <rev>', 'branch, tag or commit', 'main')
    .option('--hub <url>', 'address of the hub; default: the setting')
    .action(run(getModel));
}

async function getModel(
  context: CommandContext,
  name: string,
  study: string | undefined,
  flags: GetFlags,
): Promise<void> {
  const { terminal, data } = context;
  const dataFolder = userFolders(data).data;
  const manifest = await manifestOf(context, name, flags, dataFolder);
  const folder =
    flags.folder === undefined ? hubFolder(fetchedModels({ dataFolder }), manifest) : resolve(flags.folder);
  const listing = await hubListing(manifest, folder);
  if (flags.list === true) {
    showListing(terminal, listing);
    return;
  }
  const model =
    study === undefined
      ? await withoutStudy(terminal, hubAccess(manifest.hub, manifest.hub), listing)
      : await intoStudy(context, study, manifest, folder, flags.name ?? nameOf(manifest.repo));
  if (terminal.json) terminal.result({ manifest, folder, model });
  if (model !== null) terminal.say(`Model ${model.id}: ${model.name}, ${model.tokenizer}`);
  else terminal.say(`${folder}\nImport it with: engram model import STUDY "${folder}"`);
}

async function manifestOf(
  { terminal }: CommandContext,
  name: string,
  flags: GetFlags,
  dataFolder: string,
): Promise<HubManifest> {
  if (flags.manifest !== undefined)
    return readJsonFile(resolve(flags.manifest), z.object({ manifest: HubManifest })).manifest;
  const setting = createSettingsFile(dataFolder).get().hub;
  const access = hubAccess(flags.hub ?? null, setting);
  terminal.note(`Asking ${access.hub} for the files of ${name}`);
  return interruptible((signal) => listHubModel(access, name, flags.revision, signal));
}

function showListing(terminal: Terminal, listing: HubListing): void {
  if (terminal.json) {
    terminal.result(listing);
    return;
  }
  const { manifest, folder, files, totalBytes, missingBytes, freeBytes } = listing;
  terminal.say(
    `${manifest.repo} at commit ${manifest.commit}${manifest.gated ? ' (only for people who accepted its conditions)' : ''}`,
  );
  for (const { bytes, sha256, gitSha1, url, here } of files) {
    const sum =
      sha256 === null ? (gitSha1 === null ? 'no checksum' : `git-sha1:${gitSha1}`) : `sha256:${sha256}`;
    terminal.say(`${String(bytes).padStart(12)}  ${sum}  ${url}${here === bytes ? '  (here)' : ''}`);
  }
  terminal.say(`Folder: ${folder}`);
  terminal.say(
    `${inMegabytes(totalBytes)} in all, ${inMegabytes(missingBytes)} to fetch, ${inMegabytes(freeBytes)} free`,
  );
}

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

async function withoutStudy(
  terminal: Terminal,
  access: HubAccess,
  { manifest, folder, totalBytes }: HubListing,
): Promise<null> {
  await interruptible((signal) =>
    fetchHubModel(access, manifest, folder, {
      signal,
      log: (line) => {
        terminal.note(`  ${line}`);
      },
      progress: (bytes, message) => {
        terminal.progress(`  ${inMegabytes(bytes)} of ${inMegabytes(totalBytes)}, ${message}`);
      },
    }),
  );
  const checks = await checkModelFolder(folder);
  for (const { item, ok, detail } of checks) terminal.note(`  ${ok ? 'ok ' : 'NOT'} ${item}: ${detail}`);
  const fault = checks.find(({ ok }) => !ok);
  if (fault === undefined) return null;
  throw new UserInputError(
    'MODEL_FOLDER_UNUSABLE',
    `${folder} cannot be used: ${fault.item}: ${fault.detail}`,
    'Choose another model; the folder can be deleted.',
  );
}

async function intoStudy(
  context: CommandContext,
  study: string,
  manifest: HubManifest,
  folder: string,
  name: string,
): Promise<Model> {
  const create = { name: nameOf(resolve(study)) };
  return withStudy(context, {}, study, create, async ({ context: services }) => {
    const open = services.session.require();
    const { id } = open.queue.start(modelGet, { manifest, folder, name });
    const { modelId } = z.object({ modelId: ModelId }).parse((await open.queue.wait(id)).result);
    return open.study.models.get(modelId);
  });
}

/** Ends the work on Ctrl-C; what has arrived is kept. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const user = new AbortController();
  const stop = (): void => {
    user.abort(new CancelledError('The download'));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await work(user.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}
