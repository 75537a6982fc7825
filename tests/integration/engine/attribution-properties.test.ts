import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attribute, planAttribution } from '../../../src/main/engine/interp/attribution/attribute.ts';
import type { AttributionTask } from '../../../src/main/engine/interp/attribution/types.ts';
import { GraphCache } from '../../../src/main/engine/interp/graphCache.ts';
import { patch } from '../../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../../src/main/engine/interp/sessions.ts';
import type { PatchBlock, PatchPair, PatchTask } from '../../../src/main/engine/interp/types.ts';
import { Mt19937 } from '../../../src/main/engine/random/index.ts';
import { openModelFolder, readTensor, saveModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import type { HookGrid, HookName, PatchAxes } from '../../../src/shared/domain/index.ts';

const TINY = join(import.meta.dirname, '../../reference/tiny-gpt2');
const factory = new SessionFactory({ threads: 2, provider: 'cpu' });
const open: LoadedModel[] = [];
const folders: string[] = [];
afterAll(async () => {
  for (const model of open) await model.close();
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function engine(folder: string): Promise<{ cache: GraphCache; sessions: PatchSessions }> {
  const model = new LoadedModel(await openModelFolder(folder), factory, 2 ** 30);
  open.push(model);
  const compiler = new ModelCompiler(model);
  return {
    cache: new GraphCache(model.config, compiler),
    sessions: new PatchSessions(model.config, compiler),
  };
}
const tiny = await engine(TINY);

async function* estimate(cache: GraphCache, task: AttributionTask): AsyncGenerator<PatchBlock> {
  yield* attribute(cache, planAttribution(task, cache.config));
}

async function collect(blocks: AsyncIterable<PatchBlock>): Promise<PatchBlock[]> {
  const all: PatchBlock[] = [];
  for await (const block of blocks) all.push(block);
  return all.sort((a, b) => a.grid - b.grid || a.pair - b.pair);
}

const pair: PatchPair = {
  id: 'a',
  clean: [203, 31, 205, 13, 195, 101, 135, 93],
  corrupted: [203, 100, 205, 13, 195, 101, 135, 93],
  answer: [5, 17],
  wrong: [40],
  read: 7,
};
const grid = (point: string, axes: PatchAxes): HookGrid => ({
  hook: `blocks.{layer}.${point}` as HookName, // names of the hook table, spelled in each test
  axes,
});
const task = (grids: HookGrid[], more: Partial<AttributionTask> = {}): AttributionTask => ({
  pairs: [pair],
  grids,
  direction: 'denoising',
  metrics: ['logit_diff'],
  method: 'atp',
  ...more,
});

describe('integrated gradients', () => {
  it('add up to the whole difference at the one site where the prompts differ', async () => {
    const error = async (steps: number): Promise<number> => {
      const [block] = await collect(
        estimate(tiny.cache, task([grid('hook_resid_pre', 'layer_position')], { method: 'ig', steps })),
      );
      // Layer 0, position 1: the exact effect of that site is the whole gap.
      expect(block!.trivial[1]).toBe(1);
      return Math.abs(block!.raw[0]![1]! - block!.clean[0]!);
    };
    const [coarse, fine, finest] = [await error(4), await error(32), await error(256)];
    // A right Riemann sum: the error falls with the number of steps.
    expect(fine).toBeLessThan(coarse / 4);
    expect(finest).toBeLessThan(fine / 4);
    expect(finest).toBeLessThan(0.01);
  });
});

describe('attribution patching', () => {
  const GRIDS = [
    grid('hook_resid_pre', 'layer_position'),
    grid('hook_attn_out', 'layer_position'),
    grid('mlp.hook_post', 'layer'),
    grid('attn.hook_q', 'layer_head'),
    grid('attn.hook_k', 'layer_head_position'),
    grid('attn.hook_pattern', 'layer_head'),
    grid('attn.hook_z', 'layer_head_position'),
  ];

  /** tiny-gpt2 with the embedding of token 100 moved to a distance `epsilon` of token 31's. */
  async function nearTwins(epsilon: number): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'engram-twins-'));
    folders.push(folder);
    await cp(TINY, folder, { recursive: true });
    const model = await openModelFolder(TINY);
    const tensors = await Promise.all(
      [...model.tensors].map(async ([name, entry]) => ({
        name,
        shape: entry.shape,
        data: await readTensor(entry),
      })),
    );
    const random = new Mt19937(3);
    const d = model.config.dModel;
    const wte = tensors.find(({ name }) => name === 'wte.weight')!.data;
    for (let i = 0; i < d; i++) wte[100 * d + i] = wte[31 * d + i]! + epsilon * random.normal();
    await saveModelFolder(folder, model.config, tensors, null);
    return folder;
  }

  it('becomes exact as source and base come closer', async () => {
    const relativeError = async (epsilon: number): Promise<number> => {
      const { cache, sessions } = await engine(await nearTwins(epsilon));
      const estimated = await collect(estimate(cache, task(GRIDS)));
      const exact = await collect(patch(sessions, task(GRIDS)));
      const largest = Math.max(
        ...exact.flatMap((b) => Array.from(b.raw[0]!, (v) => Math.abs(v - b.corrupted[0]!))),
      );
      const worst = Math.max(
        ...exact.flatMap((b, i) => Array.from(b.raw[0]!, (v, c) => Math.abs(v - estimated[i]!.raw[0]![c]!))),
      );
      expect(largest).toBeGreaterThan(epsilon / 100);
      return worst / largest;
    };
    const [near, far] = [await relativeError(0.005), await relativeError(0.5)];
    // Effects are of order ε, what the first order leaves out of order ε².
    expect(near).toBeLessThan(0.05);
    expect(near).toBeLessThan(far / 5);
  });

  it('gives the flags, shapes and baselines of exact patching', async () => {
    const estimated = await collect(estimate(tiny.cache, task(GRIDS)));
    const exact = await collect(patch(tiny.sessions, task(GRIDS)));
    expect(estimated).toHaveLength(exact.length);
    exact.forEach((block, i) => {
      const other = estimated[i]!;
      expect(other.shape).toEqual(block.shape);
      expect(other.zero).toEqual(block.zero);
      expect(other.trivial).toEqual(block.trivial);
      expect(other.clean[0]).toBeCloseTo(block.clean[0]!, 4);
      expect(other.corrupted[0]).toBeCloseTo(block.corrupted[0]!, 4);
    });
  });

  it('sums neurons to the hook and cells of attention to their query, all metrics at once as one by one', async () => {
    const grids = [
      grid('mlp.hook_post', 'layer_position_neuron'),
      grid('mlp.hook_post', 'layer_position'),
      grid('attn.hook_pattern', 'layer_head_position_source'),
      grid('attn.hook_pattern', 'layer_head_position'),
    ];
    const metrics = ['logit_diff', 'log_prob'] as const;
    const blocks = await collect(estimate(tiny.cache, task(grids, { metrics })));
    for (const [m, metric] of metrics.entries()) {
      const alone = await collect(estimate(tiny.cache, task(grids.slice(1, 2), { metrics: [metric] })));
      blocks[1]!.raw[m]!.forEach((v, i) => expect(Math.abs(v - alone[0]!.raw[0]![i]!)).toBeLessThan(1e-5));
      const base = blocks[0]!.corrupted[m]!;
      for (const [fine, coarse] of [
        [blocks[0]!, blocks[1]!],
        [blocks[2]!, blocks[3]!],
      ] as const) {
        const width = fine.raw[m]!.length / coarse.raw[m]!.length;
        coarse.raw[m]!.forEach((v, i) => {
          const parts = fine.raw[m]!.subarray(i * width, (i + 1) * width).filter((x) => !Number.isNaN(x));
          const total = parts.reduce((s, x) => s + x - base, 0);
          expect(Math.abs(total - (v - base))).toBeLessThan(2e-5);
        });
      }
    }
  });

  it('adds up over windows of layers, spans and sites patched together: first order is linear', async () => {
    const spans = { early: { clean: [1, 4], corrupted: [1, 4] } } as const;
    const single = grid('hook_mlp_out', 'layer_position');
    const [each, window, span, joint] = await collect(
      estimate(
        tiny.cache,
        task(
          [
            single,
            { ...single, window: 2 },
            { ...single, axes: 'layer_span', spans: ['early'] },
            {
              ...single,
              axes: 'whole',
              sites: [
                { hook: single.hook, layer: 0, position: 1 },
                { hook: single.hook, layer: 2, position: -1 },
              ],
            },
          ],
          { pairs: [{ ...pair, spans }] },
        ),
      ),
    );
    const base = each!.corrupted[0]!;
    const effect = (layer: number, t: number): number => each!.raw[0]![layer * 8 + t]! - base;
    for (let layer = 0; layer < 3; layer++) {
      for (let t = 0; t < 8; t++) {
        // A window of two covers the layer below and the layer itself.
        const both = effect(layer, t) + (layer > 0 ? effect(layer - 1, t) : 0);
        expect(Math.abs(window!.raw[0]![layer * 8 + t]! - base - both)).toBeLessThan(1e-6);
      }
      const early = effect(layer, 1) + effect(layer, 2) + effect(layer, 3);
      expect(Math.abs(span!.raw[0]![layer]! - base - early)).toBeLessThan(1e-6);
    }
    expect(Math.abs(joint!.raw[0]![0]! - base - effect(0, 1) - effect(2, 7))).toBeLessThan(1e-6);
  });

  it('takes the cells asked for and leaves out blocks that are done', async () => {
    const [whole] = await collect(estimate(tiny.cache, task([GRIDS[1]!])));
    const some = await collect(
      estimate(tiny.cache, task([GRIDS[0]!, GRIDS[1]!], { cells: [null, [9, 17]], done: ['0:0'] })),
    );
    expect(some.map((b) => b.grid)).toEqual([1]);
    some[0]!.raw[0]!.forEach((v, i) => {
      if (i === 9 || i === 17) expect(v).toBeCloseTo(whole!.raw[0]![i]!, 5);
      else expect(v).toBeNaN();
    });
  });

  it('measures a prompt read before its end, and batches pairs of several lengths', async () => {
    const pairs: PatchPair[] = [
      { ...pair, id: 'long', read: 5 },
      { ...pair, id: 'short', clean: pair.clean.slice(0, 6), corrupted: pair.corrupted.slice(0, 6), read: 5 },
    ];
    const [long, short] = await collect(estimate(tiny.cache, task([GRIDS[1]!], { pairs })));
    for (let layer = 0; layer < 3; layer++) {
      for (let t = 0; t < 8; t++) {
        const value = long!.raw[0]![layer * 8 + t]!;
        if (t > 5) expect(value).toBe(long!.corrupted[0]);
        else expect(Math.abs(value - short!.raw[0]![layer * 6 + t]!)).toBeLessThan(1e-5);
      }
    }
  });
});

describe('what gradients cannot estimate is refused', () => {
  const refused: [string, Partial<PatchTask> & Partial<AttributionTask>, string][] = [
    ['a rank', { metrics: ['rank'] }, 'METRIC_NO_GRADIENT'],
    ['KL at its minimum', { metrics: ['kl'], direction: 'noising' }, 'METRIC_NO_GRADIENT'],
    ['zero ablation', { source: { kind: 'zero' } }, 'ATTRIBUTION_SOURCE'],
    ['a third prompt', { source: { kind: 'prompt' } }, 'ATTRIBUTION_SOURCE'],
    ['noise', { noise: { draws: 2, scale: 3, seed: 1 } }, 'ATTRIBUTION_SOURCE'],
    [
      'answers of several tokens',
      { pairs: [{ ...pair, sequences: { answer: [[5, 6]], wrong: [[7]] } }] },
      'ATTRIBUTION_SEQUENCE',
    ],
    [
      'another position',
      { grids: [{ ...grid('hook_attn_out', 'layer'), at: 7, from: 6 }] },
      'ATTRIBUTION_CROSS',
    ],
    ['the logits', { grids: [{ hook: 'logits', axes: 'position' }] }, 'HOOK_NO_ESTIMATE'],
  ];
  it.each(refused)('%s', async (_what, more, code) => {
    const run = collect(estimate(tiny.cache, task([grid('hook_attn_out', 'layer_position')], more)));
    await expect(run).rejects.toMatchObject({ code });
  });
});
