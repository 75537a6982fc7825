import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { logitsAtRows } from '../../../src/main/engine/nn/readGraphs.ts';
import {
  openModelFolder,
  readSafetensors,
  readTensor,
  withFloat32Weights,
  writeSafetensors,
  type NamedTensor,
} from '../../../src/main/models/index.ts';
import { ModelCache } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory, floats, i64 } from '../../../src/main/runtime/sessions.ts';

const tiny = fileURLToPath(new URL('../../reference/tiny-llama', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'engram-weights-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

let cache: string;
let folder: string;
beforeEach(() => {
  cache = mkdtempSync(join(root, 'cache-'));
  folder = mkdtempSync(join(root, 'model-'));
  copyFileSync(join(tiny, 'config.json'), join(folder, 'config.json'));
});

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const IDS = [4, 90, 17, 17, 203, 5];

async function logitsOf(models: ModelCache, of: string): Promise<Float32Array> {
  const model = await models.get(of);
  const session = await model.compile(logitsAtRows(model.config, model.weights));
  const run = await session.run({ ids: i64(IDS, [1, IDS.length]), rows: i64([IDS.length - 1], [1]) });
  await session.close();
  return floats(run, 'logits');
}

/** The weights of tiny-llama, each value changed by `round`. */
async function tensorsOf(round: (value: number) => number): Promise<NamedTensor[]> {
  const { tensors } = await readSafetensors(join(tiny, 'model.safetensors'));
  return Promise.all(
    [...tensors.values()].map(async (entry) => ({
      name: entry.name,
      shape: entry.shape,
      data: (await readTensor(entry)).map(round),
    })),
  );
}

/** A number format: its name in the file, the float32 that a value becomes, and the bits of that. */
const FORMATS = [
  {
    dtype: 'F16',
    round: (value: number) => Math.f16round(value),
    bits: (value: number) => new Uint16Array(Float16Array.of(value).buffer)[0] ?? 0,
  },
  {
    dtype: 'BF16',
    round: (value: number) => new Float32Array(Uint32Array.of(floatBits(value) & 0xffff0000).buffer)[0] ?? 0,
    bits: (value: number) => floatBits(value) >>> 16,
  },
] as const;
type Format = (typeof FORMATS)[number];

const floatBits = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;

function writeHalf(file: string, tensors: readonly NamedTensor[], { dtype, bits }: Format): void {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape, data } of tensors)
    header[name] = { dtype, shape, data_offsets: [at, (at += 2 * data.length)] };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const values = tensors.map(({ data }) => Buffer.from(Uint16Array.from(data, bits).buffer));
  writeFileSync(file, Buffer.concat([length, json, ...values]));
}

const copiesIn = (place: string): string[] => readdirSync(join(place, 'float32'));

describe.each(FORMATS)('weights stored as $dtype', (format) => {
  it('compute what float32 weights of the same values compute', async () => {
    const rounded = await tensorsOf(format.round);
    const same = mkdtempSync(join(root, 'same-'));
    copyFileSync(join(tiny, 'config.json'), join(same, 'config.json'));
    await writeSafetensors(join(same, 'model.safetensors'), rounded);
    writeHalf(join(folder, 'model.safetensors'), rounded, format);
    const models = new ModelCache(sessions, 2 ** 30, { cacheFolder: cache });
    expect([...(await logitsOf(models, folder))]).toEqual([...(await logitsOf(models, same))]);
    // Nothing is written beside the user's model.
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors']);
  });

  it('are converted once, and again when the file changes', async () => {
    const file = join(folder, 'model.safetensors');
    const tensors = await tensorsOf(format.round);
    writeHalf(file, tensors, format);
    const first = await withFloat32Weights(await openModelFolder(folder), cache);
    const made = statSync(join(first.folder, 'model.safetensors')).mtimeMs;
    const again = await withFloat32Weights(await openModelFolder(folder), cache);
    expect(again.folder).toBe(first.folder);
    expect(statSync(join(again.folder, 'model.safetensors')).mtimeMs).toBe(made);
    expect(copiesIn(cache)).toHaveLength(1);
    expect([...first.tensors.keys()]).toEqual([...(await openModelFolder(folder)).tensors.keys()]);
    expect(await again.weightsHash()).toBe(await (await openModelFolder(folder)).weightsHash());
    writeHalf(file, await tensorsOf((value) => format.round(value / 2)), format);
    utimesSync(file, 1, 1);
    const changed = await withFloat32Weights(await openModelFolder(folder), cache);
    expect(changed.folder).not.toBe(first.folder);
    const half = changed.tensors.get('norm.weight');
    const whole = first.tensors.get('norm.weight');
    if (half === undefined || whole === undefined) throw new Error('no norm.weight');
    expect([...(await readTensor(half))]).toEqual(
      [...(await readTensor(whole))].map((v) => format.round(v / 2)),
    );
  });
});

it('float32 weights are used where they are', async () => {
  const model = await openModelFolder(tiny);
  expect(await withFloat32Weights(model, cache)).toBe(model);
  expect(readdirSync(cache)).toEqual([]);
});

it('keeps four converted copies, dropping the one not used for longest', async () => {
  const tensors = await tensorsOf(FORMATS[0].round);
  const folders: string[] = [];
  for (let i = 0; i < 6; i++) {
    const each = mkdtempSync(join(root, 'each-'));
    copyFileSync(join(tiny, 'config.json'), join(each, 'config.json'));
    writeHalf(join(each, 'model.safetensors'), tensors, FORMATS[0]);
    const { folder: copy } = await withFloat32Weights(await openModelFolder(each), cache);
    utimesSync(copy, i + 1, i + 1);
    folders.push(copy);
  }
  expect(
    copiesIn(cache)
      .map((name) => join(cache, 'float32', name))
      .sort(),
  ).toEqual(folders.slice(2).sort());
});

it('reads shards, whatever file a weight lies in', async () => {
  const tensors = await tensorsOf((value) => value);
  const map: Record<string, string> = {};
  const shards = [0, 1, 2].map((i) => `model-0000${i + 1}-of-00003.safetensors`);
  for (const [i, shard] of shards.entries()) {
    const part = tensors.filter((_, index) => index % 3 === i);
    await writeSafetensors(join(folder, shard), part);
    for (const { name } of part) map[name] = shard;
  }
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  const models = new ModelCache(sessions, 2 ** 30, { cacheFolder: cache });
  expect([...(await logitsOf(models, folder))]).toEqual([...(await logitsOf(models, tiny))]);
  // A shard that is replaced makes another model, though the index stays as it was.
  const [shard] = shards;
  const changed = tensors.filter((_, index) => index % 3 === 0);
  const doubled = changed.map((tensor) => ({ ...tensor, data: tensor.data.map((value) => 2 * value) }));
  await writeSafetensors(join(folder, shard ?? ''), doubled);
  expect([...(await logitsOf(models, folder))]).not.toEqual([...(await logitsOf(models, tiny))]);
});

it('refuses a model that the machine cannot hold, with the numbers, before it converts anything', async () => {
  writeHalf(join(folder, 'model.safetensors'), await tensorsOf(FORMATS[0].round), FORMATS[0]);
  const models = new ModelCache(sessions, 2 ** 30, { cacheFolder: cache, machineBytes: 100_000 });
  await expect(models.get(folder)).rejects.toMatchObject({
    code: 'MODEL_TOO_LARGE',
    message: expect.stringMatching(
      / 0\.2 MB of memory as float32; this machine has 0\.1 MB, of which a model may take 0\.1 MB/,
    ) as string,
  });
  expect(readdirSync(cache)).toEqual([]);
});
