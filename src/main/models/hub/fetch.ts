import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hubFileUrl, type HubFile, type HubManifest } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { CONFIG_FILE, readModelConfig } from '../config.ts';
import type { HubAccess } from './access.ts';
import { digestFile, digestOf } from './digest.ts';
import { downloadFile } from './download.ts';
import { hubListing, lockFolder, requireSpace } from './local.ts';

export interface FetchWatch {
  readonly signal: AbortSignal;
  /** Bytes of the whole model that are here, and what is going on. */
  readonly progress: (bytes: number, message: string) => void;
  readonly log: (line: string) => void;
}

export interface Fetched {
  /** Bytes that came from the hub; 0 when everything was here. */
  readonly fetchedBytes: number;
}

/**
 * Brings the files of a manifest into a folder and verifies every one against the checksum in the manifest,
 * those that lie there already too: a folder that was copied from another machine needs no network. The
 * configuration comes first, so that a model Engram cannot run costs no gigabytes.
 */
export async function fetchHubModel(
  access: HubAccess,
  manifest: HubManifest,
  folder: string,
  watch: FetchWatch,
): Promise<Fetched> {
  const release = await lockFolder(folder);
  try {
    const { missingBytes } = await hubListing(manifest, folder);
    await requireSpace(manifest.repo, [{ folder, bytes: missingBytes }]);
    const configFirst = (file: HubFile): number => (file.name === CONFIG_FILE ? -1 : file.bytes);
    const files = [...manifest.files].sort((a, b) => configFirst(a) - configFirst(b));
    let before = 0;
    let fetchedBytes = 0;
    for (const file of files) {
      watch.signal.throwIfAborted();
      const path = join(folder, file.name);
      const done = before;
      const at = (message: string) => (bytes: number) => {
        watch.progress(done + bytes, message);
      };
      if (await exists(path)) {
        await verifyFile(path, file, manifest, watch.signal, at(`checking ${file.name}`));
        watch.log(`${file.name}: was here, verified`);
      } else {
        let first = -1;
        let here = 0;
        await downloadFile(
          access,
          {
            file,
            url: hubFileUrl(manifest, file.name),
            path,
            target: { hub: access.hub, repo: manifest.repo, file: file.name },
          },
          {
            signal: watch.signal,
            received: (bytes) => {
              if (first < 0) first = bytes;
              here = bytes;
              at(file.name)(bytes);
            },
            tell: (message) => {
              watch.log(`${file.name}: ${message}`);
              at(`${file.name}: ${message}`)(here);
            },
          },
        );
        fetchedBytes += file.bytes - Math.max(0, first);
        watch.log(`${file.name}: ${verdict(file)}`);
      }
      before += file.bytes;
      if (file.name === CONFIG_FILE) await readModelConfig(folder);
    }
    return { fetchedBytes };
  } finally {
    release();
  }
}

function verdict(file: HubFile): string {
  const digest = digestOf(file);
  return digest === null
    ? 'fetched; the hub publishes no checksum for it'
    : `verified, ${digest.kind} ${digest.expected}`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true;
}

/** Throws UserInputError `HUB_FILE_DIFFERS`: what lies there is never overwritten. */
async function verifyFile(
  path: string,
  file: HubFile,
  { repo }: HubManifest,
  signal: AbortSignal,
  passed: (bytes: number) => void,
): Promise<void> {
  const digest = digestOf(file);
  const bytes = await digestFile(path, digest, signal, passed);
  const actual = digest?.hex();
  if (bytes === file.bytes && actual === digest?.expected) return;
  const how =
    bytes === file.bytes
      ? `has the ${digest?.kind ?? 'checksum'} ${actual ?? ''}, not ${digest?.expected ?? ''}`
      : `has ${bytes} bytes, not ${file.bytes}`;
  throw new UserInputError(
    'HUB_FILE_DIFFERS',
    `${path} is not the file of ${repo}: it ${how}.`,
    'Delete it to fetch it again, or choose another folder.',
  );
}
