import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  HOOKS,
  isLayered,
  METRICS,
  type HookGrid,
  type HookName,
  type ModelConfig,
  type PatchAxes,
} from '../../../src/shared/domain/index.ts';
import { patchNaively } from '../../../src/main/engine/interp/naive.ts';
import { patch } from '../../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../../src/main/engine/interp/sessions.ts';
import { gridShape, GRID_AXES } from '../../../src/main/engine/interp/sites.ts';
import type { PatchBlock, PatchPair, PatchTask } from '../../../src/main/engine/interp/types.ts';
import { familyOf } from '../../../src/main/engine/nn/registry.ts';
import { Mt19937 } from '../../../src/main/engine/random/mt19937.ts';
import { folderFamily } from '../../../src/main/models/families/index.ts';
import { openModelFolder, saveModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';

const factory = new SessionFactory({ threads: 2, provider: 'cpu' });
const folders: string[] = [];
afterAll(async () => Promise.all(folders.map((f) => rm(f, { recursive: true }))));

interface Opened {
  readonly config: ModelConfig;
  readonly sessions: PatchSessions;
  readonly compiler: ModelCompiler;
  readonly model: LoadedModel;
}

const VOCABULARY = 23;
const MARK = 22;

/** A random shape of a family. */
function randomConfig(random: Mt19937, family: ModelConfig['family']): ModelConfig {
  const groups = 1 + random.interval(1);
  const nHead = groups * (1 + random.interval(1));
  const headDim = 4 * (1 + random.interval(1));
  const dModel = nHead * headDim;
  const biased = random.interval(1) === 1;
  const turned = { base: 10000, dims: headDim, interleaved: family === 'gptj' };
  return {
    family,
    nLayer: 1 + random.interval(2),
    nHead,
    dModel,
    dMlp: 2 * dModel,
    nCtx: 16,
    vocabSize: VOCABULARY,
    layerNormEps: 1e-5,
    activation: family === 'llama' ? 'silu' : 'gelu_new',
    tiedEmbeddings: family === 'gpt2',
    bosTokenId: null,
    eosTokenId: null,
    ...(family === 'gpt2' ? {} : { rotary: turned, headDim, nKvHead: family === 'llama' ? groups : nHead }),
    ...(family === 'llama' || family === 'gpt_neox'
      ? { biases: { qkv: biased, attentionOutput: biased, mlp: family === 'gpt_neox' } }
      : {}),
    ...(family === 'gpt_neox' ? { parallel: random.interval(1) === 1 } : {}),
  };
}

/** A model with weights large enough that effects are not tiny. */
async function randomModel(random: Mt19937, config: ModelConfig): Promise<Opened> {
  const tensors = folderFamily(config)
    .weights(config)
    .map(({ name, shape, init }) => ({
      name,
      shape,
      data: Float32Array.from(
        { length: shape.reduce((a, n) => a * n, 1) },
        () => ('constant' in init ? init.constant : 0) + 0.4 * (random.double() * 2 - 1),
      ),
    }));
  const folder = await mkdtemp(join(tmpdir(), 'engram-random-'));
  folders.push(folder);
  await saveModelFolder(folder, config, tensors, null);
  const model = new LoadedModel(await openModelFolder(folder), factory, 2 ** 30);
  const compiler = new ModelCompiler(model);
  return { config: model.config, model, compiler, sessions: new PatchSessions(model.config, compiler) };
}

function randomPair(random: Mt19937, id: number): PatchPair {
  const T = 3 + random.interval(6);
  const clean = Array.from({ length: T }, () => random.interval(MARK - 1));
  const corrupted = clean.map((t) => (random.double() < 0.3 ? random.interval(MARK - 1) : t));
  corrupted[random.interval(T - 1)] = MARK;
  const donor = clean.map((t) => (random.double() < 0.5 ? random.interval(MARK - 1) : t));
  const read = random.double() < 0.7 ? T - 1 : random.interval(T - 1);
  const start = random.interval(T - 2);
  const spans = { word: { clean: [start, start + 2], corrupted: [start, start + 2] } } as const;
  return { id: `p${id}`, clean, corrupted, donor, answer: [1, 2], wrong: [3, 4, 5], read, spans };
}

/** Grids that a hook can have, and one of several sites together. */
function gridsOf(hook: HookName, config: ModelConfig): HookGrid[] {
  const { kind } = HOOKS.find((h) => h.name === hook)!;
  const axes: PatchAxes[] = !isLayered(hook)
    ? ['whole', 'position', 'span']
    : [
        'layer',
        'layer_position',
        'layer_span',
        ...(kind === 'row' || kind === 'neuron'
          ? []
          : (['layer_head', 'layer_head_position', 'layer_head_span'] as const)),
        ...(kind === 'square' ? (['layer_head_position_source'] as const) : []),
        ...(kind === 'neuron'
          ? (['layer_neuron', 'layer_position_neuron', 'layer_span_neuron'] as const)
          : []),
      ];
  return [
    ...axes.map((a): HookGrid => ({ hook, axes: a, ...(a.includes('span') ? { spans: ['word'] } : {}) })),
    ...(isLayered(hook) && config.nLayer > 1
      ? [
          { hook, axes: 'layer' as const, window: 2 },
          { hook, axes: 'layer_position' as const, window: 3 },
          { hook, axes: 'layer' as const, at: -1, from: 1 },
        ]
      : []),
  ];
}

function allGrids(config: ModelConfig): HookGrid[] {
  const exists = (hook: HookName): boolean =>
    !(hook === 'hook_pos_embed' && config.rotary !== undefined) &&
    !(hook === 'blocks.{layer}.hook_resid_mid' && familyOf(config).parallel);
  const last = config.nLayer - 1;
  return [
    ...HOOKS.map((h) => h.name)
      .filter(exists)
      .flatMap((hook) => gridsOf(hook, config)),
    {
      hook: 'hook_embed',
      axes: 'whole',
      sites: [
        { hook: 'hook_embed', layer: 0, position: 1 },
        { hook: 'blocks.{layer}.attn.hook_q', layer: last, head: 0, position: -1 },
        { hook: 'blocks.{layer}.hook_mlp_out', layer: last, position: 'word' },
      ],
    },
    {
      hook: 'blocks.{layer}.attn.hook_pattern',
      axes: 'whole',
      sites: [
        { hook: 'blocks.{layer}.attn.hook_pattern', layer: 0, head: 0 },
        { hook: 'blocks.{layer}.mlp.hook_post', layer: 0, neuron: 3, position: 2, from: 1 },
        { hook: 'ln_final.hook_scale', layer: 0, position: -1 },
      ],
    },
  ];
}

/** A few cells of every grid, other ones at every seed. */
function someCells(
  random: Mt19937,
  grids: readonly HookGrid[],
  config: ModelConfig,
  tokens: number,
): number[][] {
  return grids.map((grid) => {
    const size = gridShape(grid, config, tokens).reduce((a, n) => a * n, 1);
    return Array.from({ length: 3 }, () => random.interval(size - 1));
  });
}

async function collect(blocks: AsyncIterable<PatchBlock>): Promise<Map<string, PatchBlock>> {
  const all = new Map<string, PatchBlock>();
  for await (const b of blocks) all.set(`${b.grid}:${b.pair}:${b.draw}`, b);
  return all;
}

/** Every chosen cell of both, to 1e-5 of the metric's size; flags agree with the values. */
function compare(
  task: PatchTask,
  packed: ReadonlyMap<string, PatchBlock>,
  naive: ReadonlyMap<string, PatchBlock>,
): number {
  expect([...packed.keys()].sort()).toEqual([...naive.keys()].sort());
  let compared = 0;
  for (const [key, a] of packed) {
    const b = naive.get(key)!;
    const grid = task.grids[a.grid]!;
    const chosen = task.cells?.[a.grid] ?? Array.from(a.zero.keys());
    a.raw.forEach((values, m) => {
      for (const i of chosen) {
        const what = `${key} ${JSON.stringify(grid)} ${task.metrics[m]!} cell ${i}`;
        const [value, expected] = [values[i]!, b.raw[m]![i]!];
        if (Number.isNaN(expected)) {
          expect(value, what).toBeNaN();
          continue;
        }
        compared++;
        // Ranks are whole numbers: two tokens whose logits differ by rounding may change places.
        const near =
          task.metrics[m] === 'rank' || task.metrics[m] === 'top1'
            ? 1
            : 1e-5 * Math.max(1, Math.abs(expected));
        expect(Math.abs(value - expected), what).toBeLessThanOrEqual(near);
        const target = task.direction === 'denoising' ? b.corrupted[m]! : b.clean[m]!;
        if (a.zero[i] === 1) expect(Math.abs(expected - target), what).toBeLessThanOrEqual(near);
        if (a.trivial[i] === 1 && a.zero[i] === 0 && (task.source?.kind ?? 'pair') === 'pair') {
          const source = task.direction === 'denoising' ? b.clean[m]! : b.corrupted[m]!;
          expect(Math.abs(expected - source), what).toBeLessThanOrEqual(near);
        }
      }
    });
  }
  return compared;
}

const FAMILIES: readonly ModelConfig['family'][] = ['gpt2', 'llama', 'gpt_neox', 'gptj'];

describe('the packed method against the whole model once per site', () => {
  const seeds = FAMILIES.flatMap((family, f) => [1, 2, 3].map((n) => ({ family, seed: 10 * f + n })));

  it.each(seeds)('$family, random shape, pairs, sites and limits, seed $seed', async ({ family, seed }) => {
    const random = new Mt19937(seed);
    const { config, sessions, compiler, model } = await randomModel(random, randomConfig(random, family));
    const grids = allGrids(config);
    const pairs = Array.from({ length: 2 }, (_, i) => randomPair(random, i));
    const task: PatchTask = {
      pairs,
      grids,
      cells: someCells(random, grids, config, Math.min(...pairs.map((p) => p.clean.length))),
      direction: seed % 2 === 0 ? 'noising' : 'denoising',
      metrics: METRICS.map((m) => m.name),
      source: { kind: seed % 3 === 0 ? 'prompt' : 'pair' },
      // Small enough that pairs and even single variants are spread over many batches.
      memoryBytes: seed % 3 === 0 ? 40_000 : 64 * 2 ** 20,
    };
    const packed = await collect(patch(sessions, task));
    const naive = await collect(patchNaively(sessions, compiler, task));
    expect(compare(task, packed, naive)).toBeGreaterThan(1000);
    await model.close();
  });

  it.each(FAMILIES)(
    '%s: from zero, a mean and another model; under noise; over whole answers',
    async (family) => {
      const random = new Mt19937(91);
      const config = randomConfig(random, family);
      const one = await randomModel(random, { ...config, nLayer: 2 });
      const two = await randomModel(random, { ...config, nLayer: 2 });
      const pair = { ...randomPair(random, 0), read: undefined };
      const pairs: PatchPair[] = [{ ...pair, read: pair.clean.length - 1 }];
      const component = (hook: HookName): boolean =>
        hook !== 'logits' && !hook.includes('attn_scores') && !hook.includes('pattern');
      const grids = allGrids(one.config).filter((g) => g.sites === undefined && component(g.hook));
      const cells = someCells(random, grids, one.config, pair.clean.length);
      const plain: PatchTask = {
        pairs,
        grids,
        cells,
        direction: 'denoising',
        metrics: ['logit_diff', 'prob'],
      };
      const reference = Array.from({ length: 3 }, () =>
        Array.from({ length: 12 }, () => random.interval(MARK - 1)),
      );
      const sequences = {
        answer: [
          [1, 2, 3],
          [4, 5],
        ],
        wrong: [[6, 7]],
      };
      const tasks: PatchTask[] = [
        { ...plain, source: { kind: 'zero' } },
        { ...plain, source: { kind: 'mean', reference, perPosition: false }, direction: 'noising' },
        { ...plain, source: { kind: 'mean', reference, perPosition: true } },
        { ...plain, noise: { draws: 2, scale: 3, seed: 5 } },
        {
          ...plain,
          noise: { draws: 1, scale: 3, seed: 5 },
          direction: 'noising',
          pairs: pairs.map((p) => ({ ...p, key: [0, 2] })),
        },
        {
          ...plain,
          pairs: pairs.map((p) => ({ ...p, sequences })),
          metrics: ['logit_diff', 'prob', 'log_prob', 'relative_prob'],
        },
      ];
      for (const task of tasks) {
        const packed = await collect(patch(one.sessions, task));
        compare(task, packed, await collect(patchNaively(one.sessions, one.compiler, task)));
      }
      // Metrics of the other run belong to the other model; the patched runs' are this one's.
      for (const direction of ['denoising', 'noising'] as const) {
        const task: PatchTask = {
          ...plain,
          direction,
          source: { kind: 'model', folder: two.model.folder.folder },
        };
        const packed = await collect(patch(one.sessions, task, { other: two.sessions }));
        const naive = patchNaively(one.sessions, one.compiler, task, { other: two });
        compare(task, packed, await collect(naive));
      }
      await one.model.close();
      await two.model.close();
    },
  );
});

describe('a task', () => {
  it('resumes: blocks already done are not computed again', async () => {
    const random = new Mt19937(7);
    const { sessions, model } = await randomModel(random, randomConfig(random, 'gpt2'));
    const task: PatchTask = {
      pairs: [randomPair(random, 0), randomPair(random, 1)],
      grids: [
        { hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position' },
        { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' },
      ],
      direction: 'denoising',
      metrics: ['logit_diff'],
    };
    const whole = await collect(patch(sessions, task));
    const rest = await collect(patch(sessions, { ...task, done: ['0:0', '1:1'] }));
    expect([...rest.keys()].sort()).toEqual(['0:1:0', '1:0:0']);
    for (const [key, block] of rest) {
      block.raw[0]!.forEach((v, i) => expect(v).toBeCloseTo(whole.get(key)!.raw[0]![i]!, 5));
    }
    await model.close();
  });

  it('patches spans of prompts of unequal length, and refuses positions there', async () => {
    const random = new Mt19937(8);
    const { sessions, model } = await randomModel(random, randomConfig(random, 'gpt2'));
    const pair: PatchPair = {
      id: 'uneven',
      clean: [1, 2, 3, 4, 5],
      corrupted: [1, 9, 9, 2, 3, 4, 5],
      answer: [6],
      wrong: [7],
      read: 4,
      readCorrupted: 6,
      spans: { same: { clean: [2, 4], corrupted: [4, 6] } },
    };
    const task: PatchTask = {
      pairs: [pair],
      grids: [{ hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_span', spans: ['same'] }],
      direction: 'denoising',
      metrics: ['logit_diff'],
    };
    const [block] = (await collect(patch(sessions, task))).values();
    expect(block!.raw[0]!.every(Number.isFinite)).toBe(true);
    expect(GRID_AXES.layer_span).toEqual(['layer', 'span']);
    const positions: PatchTask = {
      ...task,
      grids: [{ hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' }],
    };
    await expect(collect(patch(sessions, positions))).rejects.toThrow(/7 and 5 tokens/);
    await model.close();
  });
});
