import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attribute, planAttribution } from '../../../src/main/engine/interp/attribution/attribute.ts';
import { GraphCache } from '../../../src/main/engine/interp/graphCache.ts';
import type { AttributionTask } from '../../../src/main/engine/interp/attribution/types.ts';
import type { PatchBlock, PatchPair } from '../../../src/main/engine/interp/types.ts';
import { openModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import {
  HOOKS,
  PairLine,
  PatchAxes,
  type Direction,
  type HookGrid,
  type MetricName,
} from '../../../src/shared/domain/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const factory = new SessionFactory({ threads: 2, provider: 'cpu' });
const model = new LoadedModel(await openModelFolder(join(REFERENCE, 'tiny-gpt2')), factory, 2 ** 30);
const sessions = new GraphCache(model.config, new ModelCompiler(model));
afterAll(() => model.close());

interface ReferenceEffects {
  hook: string;
  metric: MetricName;
  axes: string[];
  shape: number[];
  estimate: (number | null)[];
  raw: (number | null)[];
}
interface ReferenceResult {
  effects: ReferenceEffects[];
  baselines: { metric: string; pair: string; clean: number; corrupted: number }[];
}
type ReferenceFile = Record<Direction, ReferenceResult>;
const atp = JSON.parse(readFileSync(join(REFERENCE, 'tiny-gpt2-atp.json'), 'utf8')) as ReferenceFile;

const pairs: PatchPair[] = readFileSync(join(REFERENCE, 'tiny-gpt2-pairs.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((text) => {
    const line = PairLine.parse(JSON.parse(text));
    const ids = (prompt: PairLine['clean']): number[] => (typeof prompt === 'string' ? [] : prompt.ids);
    return {
      id: line.id,
      clean: ids(line.clean),
      corrupted: ids(line.corrupted),
      answer: line.answer.flat().map(Number),
      wrong: line.wrong.flat().map(Number),
      read: ids(line.clean).length - 1,
    };
  });

async function collect(task: AttributionTask): Promise<Map<string, PatchBlock>> {
  const all = new Map<string, PatchBlock>();
  for await (const b of attribute(sessions, planAttribution(task, sessions.config)))
    all.set(`${b.grid}:${b.pair}`, b);
  return all;
}

function gridOf(e: ReferenceEffects): HookGrid {
  const hook = HOOKS.find((h) => h.name === e.hook)?.name;
  if (hook === undefined) throw new Error(`no hook ${e.hook}`);
  return { hook, axes: PatchAxes.parse(e.axes.slice(1).join('_')) };
}

/** Where a block's value stands in the reference, which is padded to the longest prompt. */
function referenceIndex(e: ReferenceEffects, block: PatchBlock, cell: number): number {
  const perPair = e.shape.slice(1).reduce((a, n) => a * n, 1);
  const [tokens, padded] = [block.shape.at(-1)!, e.shape.at(-1)!];
  const inner = e.axes.at(-1) === 'position' ? Math.floor(cell / tokens) * padded + (cell % tokens) : cell;
  return block.pair * perPair + inner;
}

describe('attribution patching against PyTorch', () => {
  it.each<[Direction, number]>([
    ['denoising', 2 ** 30],
    ['noising', 2 ** 30],
    ['noising', 1], // every pair alone
  ])('%s: every hook and axis, limit %i', async (direction, memoryBytes) => {
    const { effects, baselines } = atp[direction];
    const grids = effects.map(gridOf);
    const blocks = await collect({
      pairs,
      grids,
      direction,
      metrics: ['logit_diff'],
      method: 'atp',
      memoryBytes,
    });
    expect(blocks.size).toBe(grids.length * pairs.length);
    let compared = 0;
    for (const block of blocks.values()) {
      const e = effects[block.grid]!;
      const baseline = baselines.find((x) => x.pair === pairs[block.pair]!.id)!;
      expect(block.clean[0]).toBeCloseTo(baseline.clean, 4);
      expect(block.corrupted[0]).toBeCloseTo(baseline.corrupted, 4);
      const base = direction === 'denoising' ? block.corrupted[0]! : block.clean[0]!;
      block.raw[0]!.forEach((raw, cell) => {
        const expected = e.estimate[referenceIndex(e, block, cell)]!;
        compared++;
        // tests/reference/README.md: float32 rounding of the reference itself is 5e-6.
        expect(Math.abs(raw - base - expected), `${e.hook} ${e.axes.join()} ${cell}`).toBeLessThan(5e-5);
        if (block.zero[cell] === 1) expect(raw).toBe(base);
      });
    }
    expect(compared).toBeGreaterThan(2500);
  });
});
