import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hubFileUrl, type HubListing, type HubManifest } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import { fileError } from '../files.ts';
import { partPath } from './partial.ts';

/** The folder of a fetched model below `parent`: owner, name, and the commit, so that versions stay apart. */
export function hubFolder(parent: string, { repo, commit }: Pick<HubManifest, 'repo' | 'commit'>): string {
  return join(parent, `${repo.replace('/', '--')}@${commit.slice(0, 8)}`);
}

/** What of a manifest lies in a folder, and the room there. Sizes only: contents are verified when it is fetched. */
export async function hubListing(manifest: HubManifest, folder: string): Promise<HubListing> {
  const files = await Promise.all(
    manifest.files.map(async (file) => ({
      ...file,
      url: hubFileUrl(manifest, file.name),
      here: Math.min(
        (await sizeOf(join(folder, file.name))) ?? (await sizeOf(partPath(join(folder, file.name)))) ?? 0,
        file.bytes,
      ),
    })),
  );
  return {
    manifest,
    folder,
    files,
    totalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    missingBytes: files.reduce((sum, { bytes, here }) => sum + bytes - here, 0),
    freeBytes: (await diskOf(folder)).free,
  };
}

async function sizeOf(path: string): Promise<number | null> {
  return (await stat(path).catch(() => null))?.size ?? null;
}

/** The disk where a folder is, or will be: its number, and the bytes this user may still write there. */
async function diskOf(folder: string): Promise<{ device: number; free: number }> {
  for (let at = folder; ; at = dirname(at)) {
    try {
      const [{ dev }, { bavail, bsize }] = await Promise.all([stat(at), statfs(at)]);
      return { device: dev, free: bavail * bsize };
    } catch (error) {
      if (at === dirname(at)) throw fileError(error, folder);
    }
  }
}

const size = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;

export interface Need {
  readonly folder: string;
  readonly bytes: number;
}

/** What is to be written to folders, summed disk by disk. Throws UserInputError `DISK_SPACE` with both numbers. */
export async function requireSpace(what: string, needs: readonly Need[]): Promise<void> {
  const disks = new Map<number, { free: number; bytes: number; folder: string }>();
  for (const { folder, bytes } of needs) {
    const { device, free } = await diskOf(folder);
    const disk = disks.get(device) ?? { free, bytes: 0, folder };
    disks.set(device, { ...disk, bytes: disk.bytes + bytes });
  }
  for (const { free, bytes, folder } of disks.values()) {
    if (free >= bytes) continue;
    throw new UserInputError(
      'DISK_SPACE',
      `${what} needs ${size(bytes)} on the disk of ${folder}; ${size(free)} are free.`,
      'Free some space, or choose a folder on another disk.',
    );
  }
}

const LOCK = '.engram-fetch';

/** One download a folder at a time; what a process that is gone left is taken over. Returns the release. */
export async function lockFolder(folder: string): Promise<() => void> {
  const path = join(folder, LOCK);
  try {
    await mkdir(folder, { recursive: true });
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        const fd = openSync(path, 'wx');
        writeSync(fd, String(process.pid));
        closeSync(fd);
        return () => {
          rmSync(path, { force: true });
        };
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
        if (lives(Number(readFileSync(path, 'utf8')))) break;
        rmSync(path, { force: true });
      }
    }
  } catch (error) {
    throw fileError(error, folder);
  }
  throw new UserInputError(
    'HUB_FETCH_RUNNING',
    `${folder} is being filled already.`,
    `Wait for the other download, or stop it first; if there is none, delete ${path}.`,
  );
}

function lives(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
