import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  HOOKS,
  METRICS,
  PairLine,
  type Direction,
  type HookGrid,
  type MetricName,
} from '../../../src/shared/domain/index.ts';
import { patchNaively } from '../../../src/main/engine/interp/naive.ts';
import { patch } from '../../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../../src/main/engine/interp/sessions.ts';
import type { PatchBlock, PatchPair, PatchTask } from '../../../src/main/engine/interp/types.ts';
import { openModelFolder, saveModelFolder } from '../../../src/main/models/index.ts';
import { Mt19937 } from '../../../src/main/engine/random/mt19937.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const factory = new SessionFactory({ threads: 2, provider: 'cpu' });

interface Opened {
  readonly sessions: PatchSessions;
  readonly compiler: ModelCompiler;
  readonly model: LoadedModel;
}

async function openSessions(folder: string): Promise<Opened> {
  const model = new LoadedModel(await openModelFolder(folder), factory, 2 ** 30);
  const compiler = new ModelCompiler(model);
  return { model, compiler, sessions: new PatchSessions(model.config, compiler) };
}

async function collect(blocks: AsyncIterable<PatchBlock>): Promise<Map<string, PatchBlock>> {
  const all = new Map<string, PatchBlock>();
  for await (const b of blocks) all.set(`${b.grid}:${b.pair}`, b);
  return all;
}

interface ReferenceEffects {
  hook: string;
  metric: MetricName;
  axes: string[];
  shape: number[];
  raw: (number | null)[];
  structural_zero?: boolean[];
}
interface ReferenceFile {
  denoising: {
    effects: ReferenceEffects[];
    baselines: { metric: string; pair: string; clean: number; corrupted: number }[];
  };
  noising: ReferenceFile['denoising'];
}

function referencePairs(): PatchPair[] {
  const lines = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8').trim().split('\n');
  const ids = (prompt: PairLine['clean']): number[] => (typeof prompt === 'string' ? [] : prompt.ids);
  return lines.map((text) => {
    const line = PairLine.parse(JSON.parse(text));
    return {
      id: line.id,
      clean: ids(line.clean),
      corrupted: ids(line.corrupted),
      answer: line.answer.flat().map(Number),
      wrong: line.wrong.flat().map(Number),
      read: ids(line.clean).length - 1,
    };
  });
}

const gridOf = (e: ReferenceEffects): HookGrid | undefined => {
  const axes = e.axes.slice(1).join('_');
  const hook = HOOKS.find((h) => h.name === e.hook)?.name;
  if (hook === undefined) return undefined;
  const known = (['layer', 'layer_position', 'layer_head', 'layer_head_position'] as const).find(
    (a) => a === axes,
  );
  return known === undefined ? undefined : { hook, axes: known };
};

/** Where a block's value stands in the reference, which is padded to the longest prompt. */
function referenceIndex(e: ReferenceEffects, block: PatchBlock, cell: number): number {
  const perPair = e.shape.slice(1).reduce((a, n) => a * n, 1);
  const tokens = block.shape.at(-1)!;
  const padded = e.shape.at(-1)!;
  const inner = e.axes.at(-1) === 'position' ? Math.floor(cell / tokens) * padded + (cell % tokens) : cell;
  return block.pair * perPair + inner;
}

describe('exact patching against TransformerLens', () => {
  const file = JSON.parse(readFileSync(join(REFERENCE, 'tiny-gpt2-patch.json'), 'utf8')) as ReferenceFile;
  const pairs = referencePairs();

  it.each<Direction>(['denoising', 'noising'])(
    '%s: every hook, axis and metric agrees to 1e-4',
    async (direction) => {
      const { sessions, model } = await openSessions(join(REFERENCE, 'tiny-gpt2'));
      const reference = file[direction];
      const grids = [
        ...new Map(
          reference.effects.flatMap((e) => gridOf(e) ?? []).map((g) => [`${g.hook}${g.axes}`, g]),
        ).values(),
      ];
      expect(grids.length).toBeGreaterThanOrEqual(16);
      const metrics = [...new Set(reference.effects.map((e) => e.metric))];
      const task: PatchTask = { pairs, grids, direction, metrics };
      const blocks = await collect(patch(sessions, task));
      expect(blocks.size).toBe(grids.length * pairs.length);

      let compared = 0;
      for (const block of blocks.values()) {
        const grid = grids[block.grid]!;
        metrics.forEach((metric, m) => {
          const e = reference.effects.find(
            (x) => x.metric === metric && JSON.stringify(gridOf(x)) === JSON.stringify(grid),
          )!;
          const baseline = reference.baselines.find(
            (x) => x.metric === metric && x.pair === pairs[block.pair]!.id,
          )!;
          const gap = baseline.clean - baseline.corrupted;
          expect(Math.abs(block.clean[m]! - baseline.clean)).toBeLessThan(1e-4);
          expect(Math.abs(block.corrupted[m]! - baseline.corrupted)).toBeLessThan(1e-4);
          block.raw[m]!.forEach((value, cell) => {
            const expected = e.raw[referenceIndex(e, block, cell)]!;
            compared++;
            // Absolute, on the raw metric and on the recovery it gives (float32 logits carry about 1e-5).
            expect(Math.abs(value - expected)).toBeLessThan(1e-4);
            expect(Math.abs((value - expected) / gap)).toBeLessThan(1e-4);
          });
          e.structural_zero?.forEach((zero, i) => {
            const cell = Array.from(block.zero.keys()).find((c) => referenceIndex(e, block, c) === i);
            if (cell !== undefined) expect(block.zero[cell]).toBe(zero ? 1 : 0);
          });
        });
      }
      expect(compared).toBeGreaterThan(5000);
      await model.close();
    },
  );

  it('a structural zero is the target run to the last bit', async () => {
    const { sessions, model } = await openSessions(join(REFERENCE, 'tiny-gpt2'));
    const task: PatchTask = {
      pairs,
      grids: [{ hook: 'blocks.{layer}.hook_attn_out', axes: 'layer_position' }],
      direction: 'denoising',
      metrics: ['logit_diff'],
    };
    for (const block of (await collect(patch(sessions, task))).values()) {
      block.zero.forEach((zero, i) => {
        if (zero === 1) expect(block.raw[0]![i]).toBe(block.corrupted[0]);
      });
      expect(block.zero.some((z) => z === 1)).toBe(true);
    }
    await model.close();
  });
});

describe('the packed method against the plain one', () => {
  const folders: string[] = [];
  afterAll(async () => Promise.all(folders.map((f) => rm(f, { recursive: true }))));

  /** A random GPT-2 shape with weights large enough that effects are not tiny. */
  async function randomModel(random: Mt19937): Promise<string> {
    const nHead = 1 + random.interval(3);
    const dModel = nHead * 4 * (1 + random.interval(2));
    const nLayer = 1 + random.interval(3);
    const vocabSize = 23;
    const nCtx = 16;
    const dMlp = 4 * dModel;
    const shapes: [string, number[]][] = [
      ['wte.weight', [vocabSize, dModel]],
      ['wpe.weight', [nCtx, dModel]],
      ['ln_f.weight', [dModel]],
      ['ln_f.bias', [dModel]],
    ];
    for (let l = 0; l < nLayer; l++) {
      for (const norm of ['ln_1', 'ln_2'])
        shapes.push([`h.${l}.${norm}.weight`, [dModel]], [`h.${l}.${norm}.bias`, [dModel]]);
      for (const [name, i, o] of [
        ['attn.c_attn', dModel, 3 * dModel],
        ['attn.c_proj', dModel, dModel],
        ['mlp.c_fc', dModel, dMlp],
        ['mlp.c_proj', dMlp, dModel],
      ] as const) {
        shapes.push([`h.${l}.${name}.weight`, [i, o]], [`h.${l}.${name}.bias`, [o]]);
      }
    }
    const tensors = shapes.map(([name, shape]) => {
      const size = shape.reduce((a, n) => a * n, 1);
      const gain = /ln_\w+\.weight$/.test(name) ? 1 : 0;
      return {
        name,
        shape,
        data: Float32Array.from({ length: size }, () => gain + 0.4 * (random.double() * 2 - 1)),
      };
    });
    const folder = await mkdtemp(join(tmpdir(), 'engram-random-'));
    folders.push(folder);
    await saveModelFolder(
      folder,
      {
        family: 'gpt2',
        nLayer,
        nHead,
        dModel,
        dMlp,
        nCtx,
        vocabSize,
        layerNormEps: 1e-5,
        activation: 'gelu_new',
        tiedEmbeddings: true,
        bosTokenId: null,
        eosTokenId: null,
      },
      tensors,
      null,
    );
    return folder;
  }

  function randomPair(random: Mt19937, id: number): PatchPair {
    const T = 2 + random.interval(8);
    const clean = Array.from({ length: T }, () => random.interval(22));
    const corrupted = clean.map((t) => (random.double() < 0.3 ? random.interval(22) : t));
    corrupted[random.interval(T - 1)] = 22;
    const read = random.double() < 0.7 ? T - 1 : random.interval(T - 1);
    return { id: `p${id}`, clean, corrupted, answer: [1, 2], wrong: [3, 4, 5], read };
  }

  it.each([1, 2, 3, 4, 5, 6])('random model, pairs and limits, seed %i', async (seed) => {
    const random = new Mt19937(seed);
    const { sessions, compiler, model } = await openSessions(await randomModel(random));
    const grids: HookGrid[] = HOOKS.flatMap((h) => [
      { hook: h.name, axes: 'layer' as const },
      { hook: h.name, axes: 'layer_position' as const },
      ...(h.heads
        ? [
            { hook: h.name, axes: 'layer_head' as const },
            { hook: h.name, axes: 'layer_head_position' as const },
          ]
        : []),
    ]);
    const task: PatchTask = {
      pairs: Array.from({ length: 3 }, (_, i) => randomPair(random, i)),
      grids,
      direction: seed % 2 === 0 ? 'noising' : 'denoising',
      metrics: METRICS.map((m) => m.name),
      // Small enough that pairs and even single variants are spread over many batches.
      memoryBytes: seed % 3 === 0 ? 40_000 : 64 * 2 ** 20,
    };
    const packed = await collect(patch(sessions, task));
    const naive = await collect(patchNaively(sessions, compiler, task));
    expect([...packed.keys()].sort()).toEqual([...naive.keys()].sort());
    for (const [key, a] of packed) {
      const b = naive.get(key)!;
      expect(a.zero).toEqual(b.zero);
      a.raw.forEach((values, m) => {
        values.forEach((value, i) => {
          const what = `${key} ${grids[a.grid]!.hook} ${grids[a.grid]!.axes} ${task.metrics[m]!} cell ${i}`;
          expect(Math.abs(value - b.raw[m]![i]!), what).toBeLessThan(1e-5);
          // Whatever is called zero is zero in the plain method too; whatever is trivial is the source run.
          const target = task.direction === 'denoising' ? b.corrupted[m]! : b.clean[m]!;
          const source = task.direction === 'denoising' ? b.clean[m]! : b.corrupted[m]!;
          if (a.zero[i] === 1) expect(Math.abs(b.raw[m]![i]! - target), what).toBeLessThan(1e-5);
          if (a.trivial[i] === 1 && a.zero[i] === 0) {
            expect(Math.abs(b.raw[m]![i]! - source), what).toBeLessThan(1e-5);
          }
        });
      });
    }
    await model.close();
  });

  it('resumes: blocks already done are not computed again', async () => {
    const random = new Mt19937(7);
    const { sessions, model } = await openSessions(await randomModel(random));
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
    expect([...rest.keys()].sort()).toEqual(['0:1', '1:0']);
    for (const [key, block] of rest) {
      block.raw[0]!.forEach((v, i) => expect(v).toBeCloseTo(whole.get(key)!.raw[0]![i]!, 5));
    }
    await model.close();
  });
});
