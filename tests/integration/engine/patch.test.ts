import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  HOOKS,
  PairLine,
  PatchAxes,
  type Direction,
  type HookGrid,
  type MetricName,
} from '../../../src/shared/domain/index.ts';
import { patch } from '../../../src/main/engine/interp/patch.ts';
import { PatchSessions } from '../../../src/main/engine/interp/sessions.ts';
import type { PatchBlock, PatchPair, PatchTask } from '../../../src/main/engine/interp/types.ts';
import { openModelFolder } from '../../../src/main/models/index.ts';
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

function referencePairs(name: string): PatchPair[] {
  const lines = readFileSync(join(REFERENCE, name), 'utf8').trim().split('\n');
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
  const known = PatchAxes.options.find((a) => a === axes);
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

interface Case {
  readonly model: string;
  readonly effects: string;
  readonly pairs: string;
  readonly grids: number;
}
const CASES: readonly Case[] = [
  { model: 'tiny-gpt2', effects: 'tiny-gpt2-patch.json', pairs: 'tiny-gpt2-pairs.jsonl', grids: 21 },
  { model: 'tiny-gpt2', effects: 'tiny-gpt2-patch-more.json', pairs: 'tiny-gpt2-pairs.jsonl', grids: 15 },
  { model: 'tiny-llama', effects: 'tiny-llama-patch.json', pairs: 'tiny-llama-pairs.jsonl', grids: 28 },
  { model: 'tiny-neox', effects: 'tiny-neox-patch.json', pairs: 'tiny-neox-pairs.jsonl', grids: 26 },
];
const DIRECTIONS: readonly Direction[] = ['denoising', 'noising'];

describe('exact patching against TransformerLens and PyTorch', () => {
  const pairs = referencePairs('tiny-gpt2-pairs.jsonl');

  it.each(CASES.flatMap((one) => DIRECTIONS.map((direction) => ({ ...one, direction }))))(
    '$effects, $direction: every hook, axis and metric agrees to 1e-4',
    async ({ direction, effects, grids: expected, ...one }) => {
      const file = JSON.parse(readFileSync(join(REFERENCE, effects), 'utf8')) as ReferenceFile;
      const known = new Set(file[direction].baselines.map((b) => b.pair));
      const pairs = referencePairs(one.pairs).filter((p) => known.has(p.id));
      const { sessions, model } = await openSessions(join(REFERENCE, one.model));
      const reference = file[direction];
      const grids = [
        ...new Map(
          reference.effects.flatMap((e) => gridOf(e) ?? []).map((g) => [`${g.hook}${g.axes}`, g]),
        ).values(),
      ];
      expect(grids).toHaveLength(expected);
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
            if (cell !== undefined)
              expect(block.zero[cell], `${e.hook} ${e.axes.join()} ${i}`).toBe(zero ? 1 : 0);
          });
        });
      }
      expect(compared).toBeGreaterThan(500);
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
