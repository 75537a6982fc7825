import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  readSafetensors,
  readTensor,
  readWeightFiles,
  writeSafetensors,
} from '../../../src/main/models/index.ts';
import { halfToFloat } from '../../../src/main/models/safetensors-values.ts';
import { safetensorsBytes, temporaryFolder, TINY } from './helpers.ts';

const folder = temporaryFolder();
const file = join(folder, 'model.safetensors');
const error = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as unknown });
const tensor = (name: string, shape: number[]) => ({
  name,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7 - 1),
});

describe('writing and reading', () => {
  it('gives back names, shapes, values and metadata', async () => {
    const tensors = [
      tensor('odd', [3]),
      tensor('matrix', [2, 5]),
      tensor('scalar', []),
      tensor('none', [0, 4]),
    ];
    await writeSafetensors(file, tensors, { format: 'pt', from: 'test' });
    const read = await readSafetensors(file);
    expect(read.metadata).toEqual({ format: 'pt', from: 'test' });
    for (const { name, shape, data } of tensors) {
      const entry = read.tensors.get(name)!;
      expect(entry).toMatchObject({ dtype: 'F32', shape, length: data.byteLength, file });
      expect(await readTensor(entry)).toEqual(data);
    }
  });

  it('aligns the data and every tensor that can be', async () => {
    await writeSafetensors(file, [tensor('odd', [3]), tensor('even', [4]), tensor('other', [2])]);
    const { tensors } = await readSafetensors(file);
    expect([...tensors.values()].map(({ name, offset }) => [name, offset % 8])).toEqual([
      ['even', 0],
      ['other', 0],
      ['odd', 0],
    ]);
  });

  it('leaves the old file and no other where writing fails', async () => {
    await writeSafetensors(file, [tensor('a', [2])]);
    const before = readFileSync(file);
    const wrong = { name: 'b', shape: [3], data: new Float32Array(2) };
    await expect(writeSafetensors(file, [wrong])).rejects.toThrow(/tensor b of shape \[3\] has 2 values/);
    await expect(writeSafetensors(join(folder, 'absent', 'x'), [])).rejects.toThrow(
      error('MODEL_FILE_MISSING', /absent/),
    );
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['model.safetensors']);
  });

  it('reads a file that PyTorch wrote', async () => {
    const { tensors, metadata } = await readSafetensors(join(TINY, 'model.safetensors'));
    expect(metadata).toEqual({ format: 'pt' });
    const wte = tensors.get('transformer.wte.weight')!;
    expect(wte.shape).toEqual([211, 32]);
    expect((await readTensor(wte)).every((value) => Number.isFinite(value) && Math.abs(value) < 3)).toBe(
      true,
    );
  });
});

describe('number formats', () => {
  const formats: { dtype: string; data: ArrayBufferView<ArrayBuffer>; values: number[] }[] = [
    { dtype: 'F32', data: Float32Array.of(1.5, -2), values: [1.5, -2] },
    { dtype: 'F64', data: Float64Array.of(0.1, 1e-50), values: [Math.fround(0.1), 0] },
    { dtype: 'BF16', data: Uint16Array.of(0x3fc0, 0xc000, 0x7f80), values: [1.5, -2, Infinity] },
    {
      dtype: 'F16',
      data: Uint16Array.of(0x3e00, 0xc000, 0x0001, 0x7bff),
      values: [1.5, -2, 2 ** -24, 65504],
    },
  ];

  it.each(formats)('$dtype becomes float32', async ({ dtype, data, values }) => {
    const header = { x: { dtype, shape: [values.length], data_offsets: [0, data.byteLength] } };
    writeFileSync(file, safetensorsBytes(header, new Uint8Array(data.buffer)));
    const entry = (await readSafetensors(file)).tensors.get('x')!;
    expect([...(await readTensor(entry))]).toEqual(values);
  });

  it('knows every half-precision number', () => {
    // The bit patterns of the positive ones count up with their values.
    const values = Array.from({ length: 0x7c00 }, (_, bits) => halfToFloat(bits));
    expect(values.every((value, i) => i === 0 || value > (values[i - 1] ?? Infinity))).toBe(true);
    expect(values.every((value, bits) => halfToFloat(bits | 0x8000) === -value)).toBe(true);
    expect([values[1], values[0x3c00], values[0x7bff]]).toEqual([2 ** -24, 1, 65504]);
    expect(halfToFloat(0x7c00)).toBe(Infinity);
    expect(halfToFloat(0x7c01)).toBeNaN();
  });

  it('does not take integers for weights', async () => {
    const header = { x: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } };
    writeFileSync(file, safetensorsBytes(header, new Uint8Array(8)));
    const entry = (await readSafetensors(file)).tensors.get('x')!;
    await expect(readTensor(entry)).rejects.toThrow(error('MODEL_WEIGHTS_DTYPE', /"x" holds I64/));
  });
});

describe('damaged files', () => {
  const entry = (from: number, to: number) => ({
    dtype: 'F32',
    shape: [(to - from) / 4],
    data_offsets: [from, to],
  });
  const data = new Uint8Array(16);
  const cases: { what: string; bytes: Uint8Array; code: string; message: RegExp }[] = [
    { what: 'no header', bytes: data.slice(0, 5), code: 'MODEL_WEIGHTS_TRUNCATED', message: /has 5/ },
    {
      what: 'a header cut short',
      bytes: safetensorsBytes({ x: entry(0, 16) }, data).slice(0, 20),
      code: 'MODEL_WEIGHTS_TRUNCATED',
      message: /header ends at byte \d+, the file at 20/,
    },
    {
      what: 'a tensor cut short',
      bytes: safetensorsBytes({ x: entry(0, 8), y: entry(8, 24) }, data),
      code: 'MODEL_WEIGHTS_TRUNCATED',
      message: /model\.safetensors is cut short: tensor "y" needs 16 bytes .* 8 are there/,
    },
    {
      what: 'an impossible header length',
      bytes: Buffer.alloc(64, 0xff),
      code: 'MODEL_WEIGHTS_DAMAGED',
      message: /not possible/,
    },
    {
      what: 'no JSON',
      bytes: safetensorsBytes('{"x":', data),
      code: 'MODEL_WEIGHTS_DAMAGED',
      message: /JSON/,
    },
    {
      what: 'overlapping tensors',
      bytes: safetensorsBytes({ x: entry(0, 8), y: entry(4, 16) }, data),
      code: 'MODEL_WEIGHTS_DAMAGED',
      message: /"x" and "y" overlap/,
    },
    {
      what: 'offsets that contradict the shape',
      bytes: safetensorsBytes({ x: { ...entry(0, 8), shape: [3] } }, data),
      code: 'MODEL_WEIGHTS_DAMAGED',
      message: /"x" of shape \[3\] needs 12 bytes, its offsets give 8/,
    },
    {
      what: 'offsets in the wrong order',
      bytes: safetensorsBytes({ x: { ...entry(0, 8), data_offsets: [8, 0] } }, data),
      code: 'MODEL_WEIGHTS_DAMAGED',
      message: /"x" has no valid/,
    },
    {
      what: 'an unknown number format',
      bytes: safetensorsBytes({ x: { ...entry(0, 8), dtype: 'F4' } }, data),
      code: 'MODEL_WEIGHTS_DTYPE',
      message: /"x" has the number format F4/,
    },
  ];

  it.each(cases)('$what', async ({ bytes, code, message }) => {
    writeFileSync(file, bytes);
    await expect(readSafetensors(file)).rejects.toThrow(error(code, message));
  });

  it('notices a file that became shorter after its header was read', async () => {
    await writeSafetensors(file, [tensor('a', [100])]);
    const { tensors, size } = await readSafetensors(file);
    truncateSync(file, size - 100);
    await expect(readTensor(tensors.get('a')!)).rejects.toThrow(
      error('MODEL_WEIGHTS_TRUNCATED', /"a" needs 400 bytes, 300 are there/),
    );
  });
});

describe('the weights of a folder', () => {
  it('come from the shards that the index names', async () => {
    const shards = temporaryFolder();
    await writeSafetensors(join(shards, 'model-1-of-2.safetensors'), [
      tensor('a', [2]),
      tensor('spare', [1]),
    ]);
    await writeSafetensors(join(shards, 'model-2-of-2.safetensors'), [tensor('b', [3])]);
    const index = (map: Record<string, string>): void =>
      writeFileSync(
        join(shards, 'model.safetensors.index.json'),
        JSON.stringify({ metadata: {}, weight_map: map }),
      );
    index({ b: 'model-2-of-2.safetensors', a: 'model-1-of-2.safetensors' });
    const { tensors, files } = await readWeightFiles(shards);
    expect([...tensors.keys()].sort()).toEqual(['a', 'b']);
    expect(files).toHaveLength(2);
    index({ a: 'model-2-of-2.safetensors' });
    await expect(readWeightFiles(shards)).rejects.toThrow(error('MODEL_WEIGHTS_DAMAGED', /"a" is not in/));
    index({ a: 'model-3-of-2.safetensors' });
    await expect(readWeightFiles(shards)).rejects.toThrow(error('MODEL_WEIGHTS_MISSING', /model-3/));
    index({ a: '../outside.safetensors' });
    await expect(readWeightFiles(shards)).rejects.toThrow(error('MODEL_WEIGHTS_DAMAGED', /outside/));
  });

  it('are refused as a pickle, with what to do', async () => {
    const pickled = temporaryFolder();
    await expect(readWeightFiles(pickled)).rejects.toThrow(error('MODEL_WEIGHTS_MISSING', /no model/));
    writeFileSync(join(pickled, 'pytorch_model.bin'), '');
    await expect(readWeightFiles(pickled)).rejects.toThrow(error('MODEL_WEIGHTS_MISSING', /can run code/));
  });
});
