import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { PatchResult } from '../../../src/shared/domain/index.ts';
import { engram } from '../cli/process.ts';
import { Graph } from '../../../src/main/engine/graph/index.ts';
import * as b from '../../../src/main/engine/graph/builder.ts';
import { spawnCompute } from '../../../src/main/runtime/client.ts';
import { ModelCache } from '../../../src/main/runtime/modelCache.ts';
import { reasonOf } from '../../../src/main/runtime/providerInUse.ts';
import { listProviders, type ProviderName } from '../../../src/main/runtime/providers.ts';
import { firstBlockCheck, knownModelCheck } from '../../../src/main/runtime/selfcheck/providers.ts';
import {
  f32,
  floats,
  SessionFactory,
  type Open,
  type ProviderCheck,
} from '../../../src/main/runtime/sessions.ts';

const entry = fileURLToPath(new URL('../../../src/main/runtime/worker.ts', import.meta.url));
const folder = fileURLToPath(new URL('../../reference/tiny-gpt2', import.meta.url));

/** y = 2x, as a graph. */
function doubling(): Graph {
  const g = new Graph('doubling');
  g.output('y', b.mul(g, g.input('x', 'float32', ['N']), 2));
  return g;
}
const feeds = { x: f32(Float32Array.of(1, 2), [2]) };
const onCpu: Open = (graph, options = {}) =>
  new SessionFactory({ threads: 1, provider: 'cpu' }).openOn('cpu', graph, options);

/** Runs the graph on the CPU, whatever provider is asked for, and holds it against values that are `off`. */
const against =
  (off: number): ProviderCheck =>
  async () => {
    const session = await onCpu(doubling());
    const y = floats(await session.run(feeds), 'y');
    await session.close();
    return Math.max(Math.abs((y[0] ?? 0) - 2 - off), Math.abs((y[1] ?? 0) - 4 - off)) / 4;
  };

const others = listProviders()
  .map(({ name }) => name)
  .filter((name) => name !== 'cpu');
/** Whether a provider computes here at all, and why not. */
const hindrance = async (provider: ProviderName): Promise<string | null> => {
  try {
    const session = await new SessionFactory({ threads: 1, provider }).openOn(provider, doubling());
    await session.run(feeds);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
};
const hindrances = new Map(
  await Promise.all(others.map(async (name) => [name, await hindrance(name)] as const)),
);
const absent = others.filter((name) => hindrances.get(name) !== null);
const present = others.filter((name) => hindrances.get(name) === null);

describe('a provider that cannot be had', () => {
  it.each(absent)('%s: the CPU computes and the notice says why', async (provider) => {
    const factory = new SessionFactory({ threads: 1, provider }, knownModelCheck);
    const session = await factory.open(doubling());
    expect(Array.from(floats(await session.run(feeds), 'y'))).toEqual([2, 4]);
    expect(factory).toMatchObject({ provider: 'cpu', asked: provider });
    expect(factory.notice).toMatch(
      new RegExp(`^The ${provider} provider could not be used: .+ The CPU computes instead\\.$`),
    );
    // The runtime's reason, not the lines of its sources.
    expect(factory.notice).not.toContain('was false');
  });

  it.each(absent)('%s: is reported before anything was computed', async (provider) => {
    const compute = spawnCompute({ entry, threads: 1, provider });
    const info = await compute.info();
    compute.dispose();
    expect(info).toMatchObject({ provider: 'cpu', notice: expect.stringContaining(provider) as string });
    expect(info.providers.find(({ name }) => name === provider)).toMatchObject({
      available: false,
      note: info.notice,
    });
  });
});

describe('a provider that computes something else', () => {
  it('is given up, with the size of the difference', async () => {
    const factory = new SessionFactory({ threads: 1, provider: 'webgpu' }, against(0.01));
    await factory.prove();
    expect(factory.provider).toBe('cpu');
    expect(factory.notice).toMatch(
      /webgpu provider differs from the CPU by 2\.5e-3 of the largest value on a small known model; 0\.0001 is allowed/,
    );
  });

  it('is kept within rounding, and checked once', async () => {
    let checks = 0;
    const factory = new SessionFactory({ threads: 1, provider: 'webgpu' }, async (open) => {
      checks += 1;
      return against(1e-6)(open);
    });
    await Promise.all([factory.prove(), factory.prove()]);
    expect(checks).toBe(1);
    expect(factory).toMatchObject({ provider: 'webgpu', notice: null });
  });

  it('is given up where it gives no numbers', async () => {
    const factory = new SessionFactory({ threads: 1, provider: 'webgpu' }, () => Promise.resolve(Number.NaN));
    await factory.prove();
    expect(factory.provider).toBe('cpu');
  });

  it('is never asked of the CPU', async () => {
    const factory = new SessionFactory({ threads: 1, provider: 'cpu' }, () =>
      Promise.reject(new Error('no check')),
    );
    await factory.prove();
    expect(factory).toMatchObject({ provider: 'cpu', notice: null });
  });

  it.each(absent)('%s: a graph it cannot prepare goes to the CPU', async (provider) => {
    const factory = new SessionFactory({ threads: 1, provider }, against(0));
    const session = await factory.open(doubling());
    expect(Array.from(floats(await session.run(feeds), 'y'))).toEqual([2, 4]);
    expect(factory.notice).toContain('could not prepare "doubling"');
  });
});

describe('the check on a model’s own weights', () => {
  const cache = new ModelCache(new SessionFactory({ threads: 1, provider: 'cpu' }), 2 ** 30);
  afterAll(() => cache.release());

  it('finds the CPU equal to itself, and a changed block different', async () => {
    const model = await cache.get(folder);
    expect(await firstBlockCheck(model, onCpu)(onCpu)).toBe(0);
    const changed: Open = async (graph, options) => {
      const session = await onCpu(graph, options);
      return {
        ...session,
        name: session.name,
        inputs: session.inputs,
        outputs: session.outputs,
        close: () => session.close(),
        run: async (...values) => {
          const results = await session.run(...values);
          const logits = Float32Array.from(floats(results, 'logits'), (v) => v + 0.01);
          return { logits: { data: logits, dims: results['logits']?.dims ?? [] } };
        },
      };
    };
    expect(await firstBlockCheck(model, onCpu)(changed)).toBeGreaterThan(1e-4);
  });

  it('is asked for every model that is opened, and sessions follow a change of provider', async () => {
    const factory = new SessionFactory({ threads: 1, provider: 'webgpu' }, against(0));
    const proven: string[] = [];
    const models = new ModelCache(factory, 2 ** 30, {
      proveModel: (model) => {
        proven.push(model.folder.folder);
        return factory.compare(against(1), 'the first block');
      },
    });
    await models.get(folder);
    expect(proven).toEqual([folder]);
    expect(factory.notice).toContain('the first block');
    const again = await models.get(folder);
    expect(await models.get(folder)).toBe(again);
    await models.release();
  });
});

// On machines with an adapter only; absent providers are named with their reason.
for (const [provider, why] of hindrances)
  if (why !== null) it.skip(`${provider} computes here (${why.slice(0, 80)})`, () => undefined);
/** A software adapter compiles shaders for half a minute. */
const SLOW_MS = 240_000;
describe.each(present)('%s', { timeout: SLOW_MS }, (provider) => {
  it('passes the check, and gives the logits of the CPU', async () => {
    const [here, cpu] = [spawnCompute({ entry, threads: 1, provider }), spawnCompute({ entry, threads: 1 })];
    const prompts = [
      [5, 31, 8, 8, 20, 1, 36],
      [16, 123, 149],
    ];
    const [a, b] = await Promise.all([here.logits({ folder, prompts }), cpu.logits({ folder, prompts })]);
    expect(await here.info()).toMatchObject({ provider, notice: null });
    a.logits.forEach((row, i) => {
      // The tolerance of the check itself, on logits that reach 7.5.
      row.forEach((v, j) => expect(Math.abs(v - (b.logits[i]?.[j] ?? Number.NaN))).toBeLessThan(7.5e-4));
    });
    here.dispose();
    cpu.dispose();
  });

  it('gives the sweep of the CPU, number by number', async () => {
    const pairs = fileURLToPath(new URL('../../reference/tiny-gpt2-pairs.jsonl', import.meta.url));
    const hooks = ['--hooks', 'resid_pre,attn_out,mlp_out,z'];
    const sweep = (name: string) =>
      engram('patch', '--model', folder, '--pairs', pairs, ...hooks, '--provider', name, '--json');
    const [here, cpu] = [await sweep(provider), await sweep('cpu')];
    const [a, b] = [here, cpu].map(({ out }) => PatchResult.parse(JSON.parse(out)));
    expect(a?.provider).toBe(provider);
    const numbersOf = (result: PatchResult | undefined): number[] =>
      (result?.effects ?? []).flatMap(({ raw }) => raw.flat().map((value) => value ?? Number.NaN));
    const [found, expected] = [numbersOf(a), numbersOf(b)];
    expect(found).toHaveLength(expected.length);
    // Differences of logits that reach 7.5, at the tolerance of the check.
    found.forEach((value, i) => {
      const wanted = expected[i] ?? 0;
      if (!Number.isNaN(wanted)) expect(Math.abs(value - wanted)).toBeLessThan(7.5e-4);
    });
  });

  it('is given up when it fails in the middle', async () => {
    const factory = new SessionFactory({ threads: 1, provider });
    const session = await factory.open(doubling());
    await expect(session.run({ x: f32(Float32Array.of(1, 2), [1, 2]) })).rejects.toMatchObject({
      kind: 'engine',
      code: 'PROVIDER_LOST',
      message: expect.stringContaining(provider) as string,
    });
    expect(factory.provider).toBe('cpu');
    expect(factory.notice).toContain('failed during "doubling"');
  });
});
