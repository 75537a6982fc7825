import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { HubFile } from '../../../shared/domain/index.ts';
import { fileError } from '../files.ts';

/** The checksum that the hub publishes for a file, computed as its bytes pass. */
export interface Digest {
  readonly kind: 'SHA-256' | 'git SHA-1';
  readonly expected: string;
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** SHA-256 of the content where there is one, else git's SHA-1 of the blob; null where the hub gave neither. */
export function digestOf(file: HubFile): Digest | null {
  if (file.sha256 !== null) return digest('SHA-256', file.sha256, createHash('sha256'));
  if (file.gitSha1 === null) return null;
  const hash = createHash('sha1');
  hash.update(`blob ${file.bytes}\0`);
  return digest('git SHA-1', file.gitSha1, hash);
}

function digest(kind: Digest['kind'], expected: string, hash: Hash): Digest {
  return { kind, expected, update: (bytes) => hash.update(bytes), hex: () => hash.digest('hex') };
}

/** Passes what a file holds to a digest; returns its bytes. */
export async function digestFile(
  path: string,
  into: Digest | null,
  signal: AbortSignal,
  passed: (bytes: number) => void = () => undefined,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      signal.throwIfAborted();
      const piece = chunk as Buffer; // a stream without an encoding gives buffers
      into?.update(piece);
      bytes += piece.length;
      passed(bytes);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw fileError(error, path);
  }
  return bytes;
}
