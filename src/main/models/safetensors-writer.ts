import { randomBytes } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { invariant } from '../../shared/errors/index.ts';
import { fileError } from './files.ts';

/** A tensor to write: row-major values. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The format aligns data to 8 bytes. */
const ALIGNMENT = 8;

/**
 * Writes float32 tensors as one safetensors file, whole or not at all: into a temporary file beside it,
 * made durable, then renamed over `path`. `metadata` `{format: 'pt'}` is what transformers expects.
 * Throws StoreError `DISK_FULL` and the like; `path` is then as it was.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const ordered = alignedOrder(tensors);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await writeAll(handle, headerBytes(ordered, metadata));
      for (const { data } of ordered)
        await writeAll(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, path);
  }
}

/** Tensors whose size keeps the alignment first (the format allows no gaps), otherwise in the order given. */
function alignedOrder(tensors: readonly NamedTensor[]): NamedTensor[] {
  for (const { name, shape, data } of tensors) {
    const expected = shape.reduce((product, n) => product * n, 1);
    invariant(
      data.length === expected,
      `tensor ${name} of shape [${shape.join(', ')}] has ${data.length} values`,
    );
  }
  const keeps = (tensor: NamedTensor): boolean => tensor.data.byteLength % ALIGNMENT === 0;
  return [...tensors.filter(keeps), ...tensors.filter((tensor) => !keeps(tensor))];
}

function headerBytes(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const { name, shape, data } of tensors) {
    invariant(!Object.hasOwn(header, name), `tensor ${name} is given twice`);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += data.byteLength)] };
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Buffer.alloc(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, at, Math.min(bytes.byteLength - at, 1 << 30));
    at += bytesWritten;
  }
}
