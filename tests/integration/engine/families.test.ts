import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Graph, type Tensor } from '../../../src/main/engine/graph/index.ts';
import { familyOf } from '../../../src/main/engine/nn/registry.ts';
import { bestAtRows, logitsAtRows } from '../../../src/main/engine/nn/readGraphs.ts';
import { parseModelConfig, toHuggingFaceConfig } from '../../../src/main/models/index.ts';
import { ModelCache } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory, f32, floats, i64, whole } from '../../../src/main/runtime/sessions.ts';

const reference = (name: string): string =>
  fileURLToPath(new URL(`../../reference/${name}`, import.meta.url));
const stories = fileURLToPath(new URL('../../../../shared/models/stories260K-hf', import.meta.url));

interface Families {
  readonly folders: Readonly<
    Record<string, { readonly ids: readonly number[]; readonly logits: readonly (readonly number[])[] }>
  >;
}
const { folders } = JSON.parse(readFileSync(reference('families.json'), 'utf8')) as Families;

const sessions = new SessionFactory({ threads: 1, provider: 'cpu' });
const models = new ModelCache(sessions, 2 ** 30);

/** tests/reference/README.md: logits. */
const TOLERANCE = 5e-5;

const largest = (actual: Float32Array, expected: readonly number[]): number =>
  expected.reduce((worst, v, i) => Math.max(worst, Math.abs(v - (actual[i] ?? NaN))), 0);

describe.each(Object.entries(folders))('%s', (name, { ids, logits }) => {
  it('has the logits of transformers at every position', async () => {
    const model = await models.get(reference(name));
    const session = await model.compile(logitsAtRows(model.config, model.weights));
    const rows = ids.map((_, i) => i);
    const run = await session.run({ ids: i64(ids, [1, ids.length]), rows: i64(rows, [rows.length]) });
    expect(largest(floats(run, 'logits'), logits.flat())).toBeLessThan(TOLERANCE);
  });

  it('pads and batches without changing a logit', async () => {
    const model = await models.get(reference(name));
    const session = await model.compile(logitsAtRows(model.config, model.weights));
    const T = ids.length;
    const short = ids.slice(0, 7);
    const batch = [...short, ...Array.from({ length: T - 7 }, () => 0), ...ids];
    const run = await session.run({ ids: i64(batch, [2, T]), rows: i64([6, 2 * T - 1], [2]) });
    const expected = [...(logits[6] ?? []), ...(logits[T - 1] ?? [])];
    expect(largest(floats(run, 'logits'), expected)).toBeLessThan(TOLERANCE);
  });

  it('projects queries, keys and values alike together and apart', async () => {
    const model = await models.get(reference(name));
    const { config } = model;
    const g = new Graph('projections');
    const w = model.weights(g);
    const family = familyOf(config);
    const x = g.input('x', 'float32', ['N', config.dModel]);
    const together = family.qkv(g, w, 1, x);
    const apart = { q: family.queries(g, w, 1, x), ...family.keysValues(g, w, 1, x) };
    const parts = ['q', 'k', 'v'] as const;
    for (const part of parts) {
      g.output(part, together[part]);
      g.output(`${part}_alone`, apart[part]);
    }
    const session = await model.compile(g);
    const run = await session.run({
      x: f32(
        Float32Array.from({ length: 3 * config.dModel }, (_, i) => Math.sin(i)),
        [3, config.dModel],
      ),
    });
    for (const part of parts)
      expect(largest(floats(run, `${part}_alone`), [...floats(run, part)])).toBeLessThan(1e-5);
  });

  it('writes a configuration that reads as the same', async () => {
    const { config } = await models.get(reference(name));
    expect(parseModelConfig(toHuggingFaceConfig(config), 'config.json')).toEqual(config);
  });
});

describe('blocks', () => {
  it('have a resid_mid unless they are parallel', async () => {
    const parallel = async (name: string): Promise<boolean> =>
      familyOf((await models.get(reference(name))).config).parallel;
    expect(await parallel('tiny-neox')).toBe(true);
    expect(await parallel('tiny-gptj')).toBe(true);
    expect(await parallel('tiny-neox-serial')).toBe(false);
    expect(await parallel('tiny-llama')).toBe(false);
  });

  it('turn rows the same wherever they lie', async () => {
    const { config } = await models.get(reference('tiny-gptj'));
    const { rotate } = familyOf(config);
    const g = new Graph('rotation');
    const x = g.input('x', 'float32', ['N', config.dModel]);
    const turned: Tensor | undefined = rotate?.(g, x, g.input('positions', 'int64', ['N']), config.nHead);
    if (turned === undefined) throw new Error('GPT-J turns its queries');
    g.output('y', turned);
    const session = await sessions.open(g);
    const row = Float32Array.from({ length: config.dModel }, (_, i) => Math.cos(i));
    const run = await session.run({
      x: f32(Float32Array.from([...row, ...row, ...row]), [3, config.dModel]),
      positions: i64([9, 0, 9], [3]),
    });
    const y = floats(run, 'y');
    const at = (i: number): number[] => [...y.subarray(i * config.dModel, (i + 1) * config.dModel)];
    expect(at(0)).toEqual(at(2));
    expect(at(1)).toEqual([...row]);
    // Only the first 8 of each head's 16 dimensions turn, and lengths stay.
    expect(at(0).slice(8, 16)).toEqual([...row.subarray(8, 16)]);
    const norm = (values: readonly number[]): number => Math.hypot(...values);
    expect(norm(at(0))).toBeCloseTo(norm([...row]), 5);
    expect(at(0).slice(0, 8)).not.toEqual([...row.subarray(0, 8)]);
  });
});

describe.skipIf(!existsSync(stories))('stories260K (needs ../shared/models)', () => {
  interface Reference {
    readonly prompt_ids: number[];
    readonly greedy_ids: number[];
    readonly last_logits_of_first_16: number[];
  }
  const read = (): Reference => JSON.parse(readFileSync(`${stories}/reference.json`, 'utf8')) as Reference;

  it('has the published logits', async () => {
    const { prompt_ids, greedy_ids, last_logits_of_first_16: expected } = read();
    const model = await models.get(stories);
    const session = await model.compile(logitsAtRows(model.config, model.weights));
    const ids = [...prompt_ids, ...greedy_ids].slice(0, 16);
    const run = await session.run({ ids: i64(ids, [1, 16]), rows: i64([15], [1]) });
    expect(largest(floats(run, 'logits'), expected)).toBeLessThan(1e-4);
  });

  it('tells the published story', async () => {
    const { prompt_ids, greedy_ids } = read();
    const model = await models.get(stories);
    const session = await model.compile(bestAtRows(model.config, model.weights));
    // Under the causal mask one run says what follows every prefix.
    const ids = [...prompt_ids, ...greedy_ids.slice(0, -1)];
    const rows = ids.map((_, i) => i);
    const run = await session.run({ ids: i64(ids, [1, ids.length]), rows: i64(rows, [rows.length]) });
    expect(whole(run, 'best')).toEqual(greedy_ids);
  });
});
