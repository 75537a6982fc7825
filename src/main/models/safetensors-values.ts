import { open } from 'node:fs/promises';
import { FormatError } from '../../shared/errors/index.ts';
import { fileError } from './files.ts';
import type { TensorEntry } from './types.ts';

/** `bytes` little-endian → float32 values. */
type Decode = (bytes: Uint8Array<ArrayBuffer>) => Float32Array<ArrayBuffer>;

const view = (bytes: Uint8Array<ArrayBuffer>): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function each(width: number, read: (data: DataView, at: number) => number): Decode {
  return (bytes) => {
    const data = view(bytes);
    const out = new Float32Array(bytes.byteLength / width);
    for (let i = 0; i < out.length; i++) out[i] = read(data, i * width);
    return out;
  };
}

/** One row per number format that weights can have; each conversion to float32 is exact but for F64. */
const DECODERS: Partial<Record<TensorEntry['dtype'], Decode>> = {
  F32: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  F16: each(2, (data, at) => halfToFloat(data.getUint16(at, true))),
  BF16: (bytes) => {
    const data = view(bytes);
    const bits = new Uint32Array(bytes.byteLength / 2);
    for (let i = 0; i < bits.length; i++) bits[i] = data.getUint16(i * 2, true) << 16;
    return new Float32Array(bits.buffer);
  },
  F64: each(8, (data, at) => data.getFloat64(at, true)),
};

/** Whether `readTensor` can give this tensor's values. */
export function isFloat(dtype: TensorEntry['dtype']): boolean {
  return DECODERS[dtype] !== undefined;
}

/**
 * One tensor's values, row-major, as float32. Throws FormatError `MODEL_WEIGHTS_DTYPE` for integers and
 * `MODEL_WEIGHTS_TRUNCATED` where the file has become shorter since its header was read.
 */
export async function readTensor(entry: TensorEntry): Promise<Float32Array<ArrayBuffer>> {
  const decode = DECODERS[entry.dtype];
  if (decode === undefined) {
    throw new FormatError(
      'MODEL_WEIGHTS_DTYPE',
      `${entry.file}: tensor "${entry.name}" holds ${entry.dtype}, not floating-point numbers.`,
      'Save the model in float32, float16 or bfloat16.',
    );
  }
  return decode(await readBytes(entry));
}

async function readBytes(entry: TensorEntry): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(entry.length);
  try {
    const handle = await open(entry.file, 'r');
    try {
      let done = 0;
      while (done < entry.length) {
        const { bytesRead } = await handle.read(
          bytes,
          done,
          Math.min(entry.length - done, 1 << 30),
          entry.offset + done,
        );
        if (bytesRead === 0) {
          throw new FormatError(
            'MODEL_WEIGHTS_TRUNCATED',
            `${entry.file} is cut short: tensor "${entry.name}" needs ${entry.length} bytes, ${done} are there.`,
            'Get the file again.',
          );
        }
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, entry.file);
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
