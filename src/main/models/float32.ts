import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../shared/errors/index.ts';
import { fileError } from './files.ts';
import { readSafetensors, SINGLE_FILE } from './safetensors.ts';
import { tensorChunks } from './safetensors-values.ts';
import { writeTensorStreams } from './safetensors-writer.ts';
import { byteText } from './sizes.ts';
import type { ModelFolder, TensorEntry } from './types.ts';

/** Converted copies kept; those not used for longest go. */
const KEPT = 4;
const FLOAT_BYTES = 4;

/** Bytes that the weights take in memory, whatever they take on disk. */
export function float32Bytes(model: ModelFolder): number {
  return [...model.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, n) => product * n, FLOAT_BYTES),
    0,
  );
}

/**
 * The model with its weights as float32 in files. One that is stored so is returned as it is. Of another
 * (float16, bfloat16, float64) a converted copy is made in a folder of `cache`, once, a few megabytes at a
 * time; nothing is written where the model lies. The copy is named by the files it was made from (path,
 * size, time of change): reading gigabytes to hash them would take as long as converting them.
 * Throws StoreError `DISK_FULL` with the numbers before it writes, and the errors of reading.
 */
export async function withFloat32Weights(model: ModelFolder, cache: string): Promise<ModelFolder> {
  const entries = [...model.tensors];
  if (entries.every(([, { dtype }]) => dtype === 'F32')) return model;
  const parent = join(cache, 'float32');
  const folder = join(parent, await keyOf(model));
  const file = join(folder, SINGLE_FILE);
  if (!(await exists(file))) {
    await makeRoom(parent, float32Bytes(model), model.folder);
    await convert(entries, parent, folder);
  }
  await touch(folder);
  await dropOld(parent, folder);
  const converted = await readSafetensors(file);
  return { ...model, folder, tensors: inOrder(entries, converted.tensors) };
}

function inOrder(
  entries: readonly (readonly [string, TensorEntry])[],
  tensors: ReadonlyMap<string, TensorEntry>,
): Map<string, TensorEntry> {
  const found = new Map<string, TensorEntry>();
  for (const [name] of entries) {
    const entry = tensors.get(name);
    if (entry !== undefined) found.set(name, entry);
  }
  return found;
}

async function keyOf({ tensors }: ModelFolder): Promise<string> {
  const hash = createHash('sha256');
  for (const file of [...new Set([...tensors.values()].map((entry) => entry.file))].sort()) {
    try {
      const { size, mtimeMs, ino } = await stat(file);
      hash.update(`${file}\0${size}\0${mtimeMs}\0${ino}\0`);
    } catch (error) {
      throw fileError(error, file);
    }
  }
  // What is taken from the files, so that another reading of them is another copy.
  for (const [name, { name: inFile, offset }] of tensors) hash.update(`${name}\0${inFile}\0${offset}\0`);
  return hash.digest('hex').slice(0, 32);
}

/** Converts into a folder of another name, so that what has the right name is whole. */
async function convert(
  entries: readonly (readonly [string, TensorEntry])[],
  parent: string,
  folder: string,
): Promise<void> {
  const partial = join(parent, `partial-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(partial, { recursive: true, mode: 0o700 });
    await writeTensorStreams(
      join(partial, SINGLE_FILE),
      entries.map(([name, entry]) => ({ name, shape: entry.shape, chunks: () => tensorChunks(entry) })),
    );
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    // Another process may have finished the same copy first.
    if (await exists(join(folder, SINGLE_FILE))) return;
    throw fileError(error, folder);
  }
}

async function makeRoom(parent: string, bytes: number, source: string): Promise<void> {
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileError(error, parent);
  }
  const { bavail, bsize } = await statfs(parent);
  const free = bavail * bsize;
  if (free >= bytes) return;
  throw new StoreError(
    'DISK_FULL',
    `${source} must be converted to float32, which takes ${byteText(bytes)} in ${parent}; ${byteText(free)} are free.`,
    'Free some space, or save the model as float32.',
  );
}

/** Marks a copy as used now. */
async function touch(folder: string): Promise<void> {
  const now = new Date();
  await utimes(folder, now, now).catch(() => undefined); // a cache on a read-only disk keeps its times
}

async function dropOld(parent: string, current: string): Promise<void> {
  const names = await readdir(parent);
  const copies = await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name);
      const used = await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { folder, used };
    }),
  );
  const old = copies.filter(({ folder }) => folder !== current).sort((a, b) => b.used - a.used);
  for (const { folder } of old.slice(KEPT - 1)) {
    // One that another process has mapped stays where the system does not let it go.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
