import { open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import type { HubFile } from '../../../shared/domain/index.ts';
import { fileError } from '../files.ts';
import { writeJson } from '../folder-save.ts';
import { digestFile, digestOf, type Digest } from './digest.ts';

/** Kept beside an unfinished file: which content it is the beginning of. */
const Note = z.object({ expected: z.string().nullable(), tag: z.string().nullable() });

export const partPath = (path: string): string => `${path}.part`;
const notePath = (path: string): string => `${path}.part.json`;

/**
 * A file on its way (`NAME.part`), with the checksum of what has arrived. Ended at any moment, it goes on from
 * its bytes on disk the next time.
 */
export class PartialFile {
  readonly #path: string;
  readonly #file: HubFile;
  readonly #handle: FileHandle;
  #digest: Digest | null;
  #tag: string | null;
  #at = 0;

  private constructor(path: string, file: HubFile, handle: FileHandle, tag: string | null) {
    this.#path = path;
    this.#file = file;
    this.#handle = handle;
    this.#digest = digestOf(file);
    this.#tag = tag;
  }

  /** Opens what an earlier attempt left, if it belongs to the same content; else begins anew. */
  static async open(path: string, file: HubFile, signal: AbortSignal): Promise<PartialFile> {
    const note = await readNote(notePath(path));
    const part = partPath(path);
    const size = (await stat(part).catch(() => null))?.size ?? 0;
    const expected = digestOf(file)?.expected ?? null;
    const goesOn = note !== null && note.expected === expected && size > 0 && size <= file.bytes;
    try {
      const partial = new PartialFile(
        path,
        file,
        await open(part, goesOn ? 'r+' : 'w+'),
        goesOn ? note.tag : null,
      );
      if (goesOn) partial.#at = await digestFile(part, partial.#digest, signal);
      return partial;
    } catch (error) {
      signal.throwIfAborted();
      throw fileError(error, part);
    }
  }

  /** Bytes that are here. */
  get at(): number {
    return this.#at;
  }

  /** What the server called the content when these bytes came; null before the first. */
  get tag(): string | null {
    return this.#tag;
  }

  /** Notes what the bytes to come belong to, before the first of them is written. */
  async begin(tag: string | null): Promise<void> {
    this.#tag = tag;
    await writeJson(notePath(this.#path), { expected: this.#digest?.expected ?? null, tag }, 'compact');
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#at + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw fileError(error, partPath(this.#path));
    }
    this.#digest?.update(bytes);
    this.#at += bytes.length;
  }

  /** Throws away what has arrived. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#at = 0;
    this.#tag = null;
    this.#digest = digestOf(this.#file);
  }

  /** The checksum of what has arrived and the one published; null where none is. To be asked once. */
  checksum(): { kind: Digest['kind']; expected: string; actual: string } | null {
    const digest = this.#digest;
    return digest === null ? null : { kind: digest.kind, expected: digest.expected, actual: digest.hex() };
  }

  /** Gives the whole file its name. */
  async finish(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(partPath(this.#path), this.#path);
      await rm(notePath(this.#path), { force: true });
    } catch (error) {
      throw fileError(error, this.#path);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}

async function readNote(path: string): Promise<z.infer<typeof Note> | null> {
  try {
    const note = Note.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return note.success ? note.data : null;
  } catch {
    return null;
  }
}
