import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { FormatError, UserInputError } from '../../shared/errors/index.ts';
import { fileError, parseJson, readTextIfAny } from './files.ts';
import type { TensorEntry } from './types.ts';

/** Bytes per element of the data types a TensorEntry can have. */
const DTYPE_BYTES: Readonly<Record<TensorEntry['dtype'], number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
};

/** The format's own ceiling for the header. */
const MAX_HEADER_BYTES = 100_000_000;
const PREFIX_BYTES = 8;

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

const natural = z.number().int().nonnegative();
const Header = z.record(z.string(), z.unknown());
const Described = z.object({
  dtype: z.string(),
  shape: z.array(natural),
  data_offsets: z.tuple([natural, natural]).refine(([begin, end]) => begin <= end),
});
const Metadata = z.record(z.string(), z.string());
const Index = z.object({ weight_map: z.record(z.string(), z.string().min(1)) });

/** A safetensors file's table of contents, checked against the file's size. */
export interface SafetensorsFile {
  readonly file: string;
  /** Bytes on disk. */
  readonly size: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/**
 * Reads and checks the header of one safetensors file: 8 bytes of header length (little-endian), JSON, data.
 * Throws FormatError `MODEL_WEIGHTS_TRUNCATED` for a file cut short, `MODEL_WEIGHTS_DAMAGED` for anything
 * else that contradicts itself, `MODEL_WEIGHTS_DTYPE` for a number format that cannot be read.
 */
export async function readSafetensors(file: string): Promise<SafetensorsFile> {
  const { text, size, dataStart } = await readHeader(file);
  const header = parseJson(text, Header, file, 'MODEL_WEIGHTS_DAMAGED');
  const { __metadata__: notes, ...described } = header;
  const entries = Object.entries(described).map(([name, value]) => {
    const tensor = Described.safeParse(value);
    if (!tensor.success) throw damaged(file, `tensor "${name}" has no valid dtype, shape and data_offsets`);
    const {
      dtype,
      shape,
      data_offsets: [begin, end],
    } = tensor.data;
    return checkedEntry({ name, dtype, shape, file, offset: dataStart + begin, length: end - begin });
  });
  const metadata = Metadata.safeParse(notes ?? {});
  if (!metadata.success) throw damaged(file, 'its __metadata__ is not text');
  entries.sort((a, b) => a.offset - b.offset || a.length - b.length);
  checkLayout(entries, file, size);
  return {
    file,
    size,
    metadata: metadata.data,
    tensors: new Map(entries.map((entry) => [entry.name, entry])),
  };
}

/** Where the weights of a Hugging Face folder lie. */
export interface WeightFiles {
  readonly files: readonly SafetensorsFile[];
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The index file of sharded weights, or null. */
  readonly index: string | null;
}

/**
 * The weights of a folder: `model.safetensors`, or the shards of `model.safetensors.index.json`.
 * Throws UserInputError `MODEL_WEIGHTS_MISSING` where neither exists or a shard is absent.
 */
export async function readWeightFiles(folder: string): Promise<WeightFiles> {
  const single = join(folder, SINGLE_FILE);
  if (await exists(single)) {
    const file = await readSafetensors(single);
    return { files: [file], tensors: file.tensors, index: null };
  }
  const index = join(folder, INDEX_FILE);
  const text = await readTextIfAny(index);
  if (text === null) throw await noWeights(folder);
  const { weight_map: map } = parseJson(text, Index, index, 'MODEL_WEIGHTS_DAMAGED');
  const files = new Map<string, SafetensorsFile>();
  for (const name of [...new Set(Object.values(map))].sort()) {
    if (basename(name) !== name) throw damaged(index, `shard "${name}" lies outside the folder`);
    const path = join(folder, name);
    if (!(await exists(path))) {
      throw new UserInputError(
        'MODEL_WEIGHTS_MISSING',
        `${index} names the shard ${name}, which is not in the folder.`,
        'Get the missing file.',
      );
    }
    files.set(name, await readSafetensors(path));
  }
  const tensors = new Map<string, TensorEntry>();
  for (const [name, shard] of Object.entries(map)) {
    const entry = files.get(shard)?.tensors.get(name);
    if (entry === undefined) throw damaged(index, `tensor "${name}" is not in its shard ${shard}`);
    tensors.set(name, entry);
  }
  return { files: [...files.values()], tensors, index };
}

async function readHeader(file: string): Promise<{ text: string; size: number; dataStart: number }> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size < PREFIX_BYTES)
        throw truncated(file, `the header length needs ${PREFIX_BYTES} bytes, the file has ${size}`);
      const prefix = Buffer.alloc(PREFIX_BYTES);
      await handle.read(prefix, 0, PREFIX_BYTES, 0);
      const length = prefix.readBigUInt64LE();
      if (length === 0n || length > BigInt(MAX_HEADER_BYTES)) {
        throw damaged(file, `a header of ${length} bytes is not possible; this is no safetensors file`);
      }
      const dataStart = PREFIX_BYTES + Number(length);
      if (size < dataStart)
        throw truncated(file, `the header ends at byte ${dataStart}, the file at ${size}`);
      const header = Buffer.alloc(Number(length));
      await handle.read(header, 0, header.length, PREFIX_BYTES);
      return { text: header.toString('utf8'), size, dataStart };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(error, file);
  }
}

function checkedEntry(raw: Omit<TensorEntry, 'dtype'> & { readonly dtype: string }): TensorEntry {
  const { file, name, dtype, shape, length } = raw;
  if (!isDtype(dtype)) {
    throw new FormatError(
      'MODEL_WEIGHTS_DTYPE',
      `${file}: tensor "${name}" has the number format ${dtype}.`,
      `Save the model in one of ${Object.keys(DTYPE_BYTES).join(', ')}.`,
    );
  }
  const expected = shape.reduce((product, n) => product * n, DTYPE_BYTES[dtype]);
  if (length !== expected) {
    throw damaged(
      file,
      `tensor "${name}" of shape [${shape.join(', ')}] needs ${expected} bytes, its offsets give ${length}`,
    );
  }
  return { ...raw, dtype };
}

/** `entries` in file order. */
function checkLayout(entries: readonly TensorEntry[], file: string, size: number): void {
  let previous: TensorEntry | undefined;
  for (const entry of entries) {
    if (previous !== undefined && entry.offset < previous.offset + previous.length) {
      throw damaged(file, `tensors "${previous.name}" and "${entry.name}" overlap`);
    }
    if (entry.offset + entry.length > size) {
      const found = Math.max(0, size - entry.offset);
      throw truncated(
        file,
        `tensor "${entry.name}" needs ${entry.length} bytes from byte ${entry.offset}, ${found} are there`,
      );
    }
    previous = entry;
  }
}

function isDtype(name: string): name is TensorEntry['dtype'] {
  return Object.hasOwn(DTYPE_BYTES, name);
}

function truncated(file: string, what: string): FormatError {
  return new FormatError('MODEL_WEIGHTS_TRUNCATED', `${file} is cut short: ${what}.`, 'Get the file again.');
}

function damaged(file: string, what: string): FormatError {
  return new FormatError('MODEL_WEIGHTS_DAMAGED', `${file} is damaged: ${what}.`, 'Get the file again.');
}

async function noWeights(folder: string): Promise<UserInputError> {
  const pickled = await exists(join(folder, 'pytorch_model.bin'));
  return new UserInputError(
    'MODEL_WEIGHTS_MISSING',
    `${folder} has no ${SINGLE_FILE}${pickled ? ', only pytorch_model.bin, which can run code when read' : ''}.`,
    pickled
      ? 'Save the model again with transformers: save_pretrained writes safetensors.'
      : 'Choose a Hugging Face model folder.',
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ENOENT') return false;
    throw fileError(error, code === 'ENOTDIR' ? dirname(path) : path);
  }
}
