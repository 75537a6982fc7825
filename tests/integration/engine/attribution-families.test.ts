import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { attribute, planAttribution } from '../../../src/main/engine/interp/attribution/attribute.ts';
import type { AttributionTask } from '../../../src/main/engine/interp/attribution/types.ts';
import { GraphCache } from '../../../src/main/engine/interp/graphCache.ts';
import type { PatchBlock, PatchPair } from '../../../src/main/engine/interp/types.ts';
import { openModelFolder } from '../../../src/main/models/index.ts';
import { ModelCompiler } from '../../../src/main/runtime/compiler.ts';
import { LoadedModel } from '../../../src/main/runtime/modelCache.ts';
import { SessionFactory } from '../../../src/main/runtime/sessions.ts';
import {
  hookInfo,
  PairLine,
  resolveHook,
  type Direction,
  type HookGrid,
  type MetricName,
} from '../../../src/shared/domain/index.ts';

const REFERENCE = join(import.meta.dirname, '../../reference');
const factory = new SessionFactory({ threads: 2, provider: 'cpu' });

interface Entry {
  readonly model: string;
  readonly pair: string;
  readonly direction: Direction;
  readonly method: 'atp' | 'ig' | 'qk-fix' | 'grad-drop';
  readonly metric: MetricName;
  readonly hook: string;
  readonly values: number[];
}
const { steps, estimates } = JSON.parse(readFileSync(join(REFERENCE, 'attribution.json'), 'utf8')) as {
  steps: number;
  estimates: Entry[];
};

const opened = new Map<string, Promise<LoadedModel>>();
async function cacheOf(name: string): Promise<GraphCache> {
  const model =
    opened.get(name) ??
    openModelFolder(join(REFERENCE, name)).then((f) => new LoadedModel(f, factory, 2 ** 30));
  opened.set(name, model);
  return new GraphCache((await model).config, new ModelCompiler(await model));
}
afterAll(async () => {
  for (const model of opened.values()) await (await model).close();
});

function pairOf(name: string, id: string): PatchPair {
  const lines = readFileSync(join(REFERENCE, `${name}-pairs.jsonl`), 'utf8')
    .trim()
    .split('\n');
  const line = lines.map((text) => PairLine.parse(JSON.parse(text))).find((l) => l.id === id)!;
  const ids = (prompt: PairLine['clean']): number[] => (typeof prompt === 'string' ? [] : prompt.ids);
  const [clean, corrupted] = [ids(line.clean), ids(line.corrupted)];
  const tokens = (side: PairLine['answer']): number[] => side.flat().map(Number);
  return {
    id,
    clean,
    corrupted,
    answer: tokens(line.answer),
    wrong: tokens(line.wrong),
    read: clean.length - 1,
  };
}

/** The reference has each correction of AtP* alone. */
const METHODS: Readonly<Record<Entry['method'], Pick<AttributionTask, 'method' | 'parts'>>> = {
  atp: { method: 'atp' },
  ig: { method: 'ig' },
  'qk-fix': { method: 'atp-star', parts: ['qk-fix'] },
  'grad-drop': { method: 'atp-star', parts: ['grad-drop'] },
};

function gridOf({ hook }: Entry): HookGrid {
  const known = resolveHook(`blocks.{layer}.${hook}`)!;
  return { hook: known, axes: hookInfo(known).heads ? 'layer_head_position' : 'layer_position' };
}

const groups = [
  ...Map.groupBy(estimates, (e) => [e.model, e.pair, e.direction, e.method, e.metric].join(' ')),
];

describe('estimates against PyTorch in float64', () => {
  it.each(groups.map(([title, entries]) => ({ title, entries })))('$title', async ({ entries }) => {
    const [{ model, pair, direction, method, metric }] = entries as [Entry, ...Entry[]];
    const cache = await cacheOf(model);
    const patchPair = pairOf(model, pair);
    const grids = entries.map(gridOf);
    const task: AttributionTask = {
      pairs: [patchPair],
      grids,
      direction,
      metrics: [metric],
      ...METHODS[method],
      steps,
    };
    const blocks: PatchBlock[] = [];
    for await (const block of attribute(cache, planAttribution(task, cache.config))) blocks.push(block);
    expect(blocks).toHaveLength(grids.length);
    for (const block of blocks) {
      const entry = entries[block.grid]!;
      const base = direction === 'denoising' ? block.corrupted[0]! : block.clean[0]!;
      expect(block.raw[0]).toHaveLength(entry.values.length);
      block.raw[0]!.forEach((raw, i) => {
        const value = entry.method === 'grad-drop' ? Math.abs(raw - base) : raw - base;
        // Float32 logits of size 10 against float64; the probabilities' estimates reach 1.
        const tolerance = 5e-5 * Math.max(1, Math.abs(entry.values[i]!));
        expect(Math.abs(value - entry.values[i]!), `${entry.hook} ${i}`).toBeLessThan(tolerance);
      });
    }
  });
});
