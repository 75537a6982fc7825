import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  cpSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { StoreError } from '../../shared/errors/index.ts';
import { now, query } from './rows.ts';

const ArtifactRow = z.object({
  hash: z.string(),
  kind: z.enum(['file', 'folder']),
  name: z.string(),
  bytes: z.number(),
  created_at: z.string(),
});
type Artifact = z.infer<typeof ArtifactRow>;

/**
 * Large results as files, named by what they contain (`artifacts/sha256-ab/<hash>/`). A file or folder
 * is complete and durable on disk under its final name before the study records it.
 */
export interface ArtifactStore {
  /** A new empty folder to build an artifact in; leftovers are removed when the study opens. */
  stage(): string;
  /**
   * Takes a folder (moved when it was staged here, else copied) or file into the store, then runs
   * `record` in the same transaction that notes the artifact. The same content is kept once.
   */
  putFolder<T>(folder: string, name: string, record: (artifact: Artifact) => T): Promise<T>;
  putBytes<T>(bytes: Uint8Array, name: string, record: (artifact: Artifact) => T): T;
  /** Where the artifact lies: the folder, or the file. Throws StoreError `ARTIFACT_MISSING`. */
  path(hash: string): string;
  list(): Artifact[];
  /** Recomputes the hash of an artifact from disk. */
  verify(hash: string): Promise<boolean>;
}

export function createArtifactStore(db: Database, folder: string): ArtifactStore {
  const root = join(folder, 'artifacts');
  const staging = join(root, 'staging');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });

  const insert = db.prepare<[string, string, string, number, string]>(
    'INSERT INTO artifact (hash, kind, name, bytes, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const select = query<[string], typeof ArtifactRow>(
    db,
    'SELECT * FROM artifact WHERE hash = ?',
    ArtifactRow,
  );
  const selectAll = query<[], typeof ArtifactRow>(
    db,
    'SELECT * FROM artifact ORDER BY created_at, hash',
    ArtifactRow,
  );
  const place = (hash: string) => join(root, `sha256-${hash.slice(0, 2)}`, hash);

  const stage = (): string => {
    const made = join(staging, randomUUID());
    mkdirSync(made, { recursive: true });
    return made;
  };

  /** Renames a durable staged folder to its place and notes it. */
  const settle = <T>(staged: string, artifact: Artifact, record: (a: Artifact) => T): T => {
    const final = place(artifact.hash);
    if (existsSync(final)) rmSync(staged, { recursive: true, force: true });
    else {
      mkdirSync(join(final, '..'), { recursive: true });
      renameSync(staged, final);
      syncFolder(join(final, '..'));
      syncFolder(root);
    }
    return db
      .transaction(() => {
        insert.run(artifact.hash, artifact.kind, artifact.name, artifact.bytes, artifact.created_at);
        return record(artifact);
      })
      .immediate();
  };

  const find = (hash: string): { artifact: Artifact; path: string } => {
    const artifact = select.get(hash);
    const inside = artifact?.kind === 'file' ? join(place(hash), artifact.name) : place(hash);
    if (artifact === undefined || !existsSync(inside)) {
      throw new StoreError(
        'ARTIFACT_MISSING',
        `The study's file ${hash.slice(0, 12)}… is not in its artifacts folder.`,
        'Restore the artifacts folder from a copy of the study.',
      );
    }
    return { artifact, path: inside };
  };

  return {
    stage,
    putFolder: async (source, name, record) => {
      let staged = source;
      if (!source.startsWith(staging + sep)) {
        staged = stage();
        cpSync(source, staged, { recursive: true, dereference: true });
      }
      const { hash, bytes } = await hashFolder(staged);
      syncTree(staged);
      return settle(staged, { hash, kind: 'folder', name, bytes, created_at: now() }, record);
    },
    putBytes: (content, name, record) => {
      const staged = stage();
      writeFileSync(join(staged, name), content);
      syncTree(staged);
      const hash = createHash('sha256').update(content).digest('hex');
      return settle(
        staged,
        { hash, kind: 'file', name, bytes: content.byteLength, created_at: now() },
        record,
      );
    },
    path: (hash) => find(hash).path,
    list: () => selectAll.all(),
    verify: async (hash) => {
      const { artifact, path } = find(hash);
      const actual = artifact.kind === 'file' ? await hashFile(path) : (await hashFolder(path)).hash;
      return actual === hash;
    },
  };
}

/** SHA-256 of a file, read as a stream. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** SHA-256 over the sorted list of `relative path, file hash` of all files below a folder. */
async function hashFolder(folder: string): Promise<{ hash: string; bytes: number }> {
  const total = createHash('sha256');
  let bytes = 0;
  for (const file of filesBelow(folder)) {
    const name = relative(folder, file).split(sep).join('/');
    total.update(`${name}\n${await hashFile(file)}\n`);
    bytes += statSync(file).size;
  }
  return { hash: total.digest('hex'), bytes };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function syncTree(folder: string): void {
  const folders = new Set([folder]);
  for (const file of filesBelow(folder)) {
    const fd = openSync(file, 'r+');
    fsyncSync(fd);
    closeSync(fd);
    folders.add(join(file, '..'));
  }
  for (const inner of folders) syncFolder(inner);
}

/** Makes a rename durable. Folders cannot be synced on Windows, where this is not needed either. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
