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

/** A tensor whose values come piece by piece, row-major, as float32. */
export interface TensorStream {
  readonly name: string;
  readonly shape: readonly number[];
  readonly chunks: () => Iterable<Float32Array> | AsyncIterable<Float32Array>;
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
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  for (const { name, shape, data } of tensors) {
    invariant(
      data.length === elementsOf(shape),
      `tensor ${name} of shape [${shape.join(', ')}] has ${data.length} values`,
    );
  }
  const streams = tensors.map(({ name, shape, data }) => ({ name, shape, chunks: () => [data] }));
  await writeTensorStreams(path, streams, metadata);
}

/** As `writeSafetensors`, for tensors that need not be in memory whole. */
export async function writeTensorStreams(
  path: string,
  tensors: readonly TensorStream[],
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const ordered = alignedOrder(tensors);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await writeAll(handle, headerBytes(ordered, metadata));
      for (const tensor of ordered) await writeTensor(handle, tensor);
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

async function writeTensor(handle: FileHandle, { name, shape, chunks }: TensorStream): Promise<void> {
  let written = 0;
  for await (const data of chunks()) {
    await writeAll(handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    written += data.length;
  }
  invariant(
    written === elementsOf(shape),
    `tensor ${name} of shape [${shape.join(', ')}] came as ${written} values`,
  );
}

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
const bytesOf = ({ shape }: TensorStream): number => elementsOf(shape) * Float32Array.BYTES_PER_ELEMENT;

/** Tensors whose size keeps the alignment first (the format allows no gaps), otherwise in the order given. */
function alignedOrder(tensors: readonly TensorStream[]): TensorStream[] {
  const keeps = (tensor: TensorStream): boolean => bytesOf(tensor) % ALIGNMENT === 0;
  return [...tensors.filter(keeps), ...tensors.filter((tensor) => !keeps(tensor))];
}

function headerBytes(tensors: readonly TensorStream[], metadata: Readonly<Record<string, string>>): Buffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const tensor of tensors) {
    const { name, shape } = tensor;
    invariant(!Object.hasOwn(header, name), `tensor ${name} is given twice`);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, (at += bytesOf(tensor))] };
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
