import { open, type FileHandle } from 'node:fs/promises';
import { FormatError } from '../../shared/errors/index.ts';
import { fileError } from './files.ts';
import type { TensorEntry } from './types.ts';

/** `bytes` little-endian, of whole elements → float32 values. */
interface Decode {
  readonly width: number;
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;
}

const words = (bytes: Uint8Array<ArrayBuffer>): Uint16Array =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);

/** Every binary16 as float32, by its bits; made when first needed. */
let halves: Float32Array | undefined;

/**
 * One row per number format that weights can have; each conversion to float32 is exact but for F64. Like the
 * runtime's own mapping of weights, this supposes a little-endian machine.
 */
const DECODERS: Partial<Record<TensorEntry['dtype'], Decode>> = {
  F32: {
    width: 4,
    decode: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  },
  F16: {
    width: 2,
    decode: (bytes) => {
      halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToFloat(bits));
      const table = halves;
      const out = new Float32Array(bytes.byteLength / 2);
      words(bytes).forEach((bits, i) => (out[i] = table[bits] ?? 0));
      return out;
    },
  },
  BF16: {
    width: 2,
    decode: (bytes) => {
      const out = new Uint32Array(bytes.byteLength / 2);
      words(bytes).forEach((bits, i) => (out[i] = bits << 16));
      return new Float32Array(out.buffer);
    },
  },
  F64: {
    width: 8,
    decode: (bytes) =>
      Float32Array.from(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)),
  },
};

/** Bytes read at a time where a tensor is taken in pieces. */
const CHUNK_BYTES = 2 ** 24;

/** Whether `readTensor` can give this tensor's values. */
export function isFloat(dtype: TensorEntry['dtype']): boolean {
  return DECODERS[dtype] !== undefined;
}

function decoderOf(entry: TensorEntry): Decode {
  const decoder = DECODERS[entry.dtype];
  if (decoder !== undefined) return decoder;
  throw new FormatError(
    'MODEL_WEIGHTS_DTYPE',
    `${entry.file}: tensor "${entry.name}" holds ${entry.dtype}, not floating-point numbers.`,
    'Save the model in float32, float16 or bfloat16.',
  );
}

/**
 * One tensor's values, row-major, as float32. Throws FormatError `MODEL_WEIGHTS_DTYPE` for integers and
 * `MODEL_WEIGHTS_TRUNCATED` where the file has become shorter since its header was read.
 */
export async function readTensor(entry: TensorEntry): Promise<Float32Array<ArrayBuffer>> {
  const { decode } = decoderOf(entry);
  for await (const bytes of byteChunks(entry, Math.max(1, entry.length))) return decode(bytes);
  return new Float32Array();
}

/** As `readTensor`, a few megabytes at a time. */
export async function* tensorChunks(
  entry: TensorEntry,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<Float32Array, void, undefined> {
  const { width, decode } = decoderOf(entry);
  const whole = Math.max(width, chunkBytes - (chunkBytes % width));
  for await (const bytes of byteChunks(entry, whole)) yield decode(bytes);
}

/** The tensor's bytes in order, `size` at a time, the last piece shorter. */
async function* byteChunks(
  entry: TensorEntry,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  try {
    const handle = await open(entry.file, 'r');
    try {
      for (let at = 0; at < entry.length; at += size) {
        yield await readRange(handle, entry, at, Math.min(size, entry.length - at));
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, entry.file);
  }
}

async function readRange(
  handle: FileHandle,
  entry: TensorEntry,
  from: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length;) {
    const wanted = Math.min(length - done, 1 << 30);
    const { bytesRead } = await handle.read(bytes, done, wanted, entry.offset + from + done);
    if (bytesRead === 0) {
      throw new FormatError(
        'MODEL_WEIGHTS_TRUNCATED',
        `${entry.file} is cut short: tensor "${entry.name}" needs ${entry.length} bytes, ${from + done} are there.`,
        'Get the file again.',
      );
    }
    done += bytesRead;
  }
  return bytes;
}

/** IEEE 754 binary16 → number. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
