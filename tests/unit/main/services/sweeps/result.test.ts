import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePairsStrictly } from '../../../../../src/main/services/pairs/parse.ts';
import { preparePair } from '../../../../../src/shared/pairs/index.ts';
import { EACH, gridsFor, parseHooks } from '../../../../../src/main/services/sweeps/positions.ts';
import { assembleResult } from '../../../../../src/main/services/sweeps/result.ts';
import type { PatchBlock } from '../../../../../src/main/runtime/api.ts';
import { PairLine, type Direction, type PatchResult } from '../../../../../src/shared/domain/index.ts';

const folder = new URL('../../../../reference/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

interface Reference extends Pick<PatchResult, 'baselines' | 'effects' | 'summary'> {
  readonly epsilon: number;
}
const reference = JSON.parse(read('tiny-gpt2-patch.json')) as Record<Direction, Reference>;
const lines = parsePairsStrictly(read('tiny-gpt2-pairs.jsonl'), 'tiny-gpt2-pairs.jsonl');
const context = { tokenizer: null, bos: null, vocabSize: 211, nCtx: 64 };
const pairs = lines.map((line) => preparePair(line, context));

/** The reference's raw values of one hook and metric as the engine would hand them over, pair by pair. */
function blocksOf(direction: Direction, hook: string, metric: string, axes: string): PatchBlock[] {
  const run = reference[direction];
  const effect = run.effects.find((e) => e.hook === hook && e.metric === metric && e.axes.join() === axes);
  if (effect === undefined) throw new Error(`no reference for ${hook} ${axes}`);
  const positions = effect.axes.includes('position');
  const width = effect.shape.at(-1) ?? 1;
  const perPair = effect.raw.length / pairs.length;
  return pairs.map((pair, index) => {
    const own = effect.raw.slice(index * perPair, (index + 1) * perPair);
    const kept = own.filter((_, i) => !positions || i % width < pair.clean.length);
    const base = run.baselines.find((b) => b.metric === metric && b.pair === pair.id);
    return {
      grid: 0,
      pair: index,
      shape: [
        ...effect.shape.slice(1, positions ? -1 : undefined),
        ...(positions ? [pair.clean.length] : []),
      ],
      raw: [Float64Array.from(kept, (v) => v ?? Number.NaN)],
      clean: [base?.clean ?? Number.NaN],
      corrupted: [base?.corrupted ?? Number.NaN],
      zero: new Uint8Array(kept.length),
      trivial: new Uint8Array(kept.length),
    };
  });
}

function expectClose(actual: readonly (number | null)[], wanted: readonly (number | null)[]): void {
  expect(actual.map((v) => v === null)).toEqual(wanted.map((v) => v === null));
  // The reference keeps nine digits of raw values up to 8 over gaps of at least 0.09.
  const worst = Math.max(...actual.map((v, i) => Math.abs((v ?? 0) - (wanted[i] ?? 0))));
  expect(worst).toBeLessThan(1e-6);
}

describe('assembled results', () => {
  it.each([
    ['denoising', 'resid_pre', 'each', 'logit_diff'],
    ['noising', 'mlp_out', 'each', 'kl'],
    ['denoising', 'z', undefined, 'prob'],
    ['noising', 'z', 'each', 'logit_diff_sum'],
    ['noising', 'attn_out', 'all', 'logit_diff'],
  ] as const)('%s %s at %s, %s: normalised as the reference does', (direction, hook, positions, metric) => {
    const { grids, views } = gridsFor(parseHooks(hook), positions, lines);
    const axes = {
      layer_position: 'pair,layer,position',
      layer_head: 'pair,layer,head',
      layer: 'pair,layer',
    };
    const name = grids[0]?.axes ?? 'layer';
    const key = name === 'layer_head_position' ? 'pair,layer,head,position' : axes[name];
    const blocks = blocksOf(direction, grids[0]?.hook ?? '', metric, key);
    const { epsilon } = reference[direction];
    const result = assembleResult({ pairs, grids, views, metrics: [metric], direction, epsilon, blocks });
    const same = (e: { hook: string; metric: string }): boolean =>
      e.hook === grids[0]?.hook && e.metric === metric;
    const effect = reference[direction].effects.find((e) => same(e) && e.axes.join() === key);
    const summary = reference[direction].summary.find((e) => same(e) && `pair,${e.axes.join()}` === key);
    expect(result.effects[0]?.axes.join()).toBe(key);
    expect(result.effects[0]?.shape).toEqual(effect?.shape);
    expect(result.effects[0]?.raw).toEqual(effect?.raw);
    expectClose(result.effects[0]?.normalized ?? [], effect?.normalized ?? []);
    expectClose(result.summary[0]?.recovery ?? [], summary?.recovery ?? []);
  });

  const tiny = (over: Partial<PatchBlock>): PatchBlock => ({
    grid: 0,
    pair: 0,
    shape: [1, 2],
    raw: [Float64Array.of(1, 2)],
    clean: [2],
    corrupted: [0],
    zero: Uint8Array.of(1, 0),
    trivial: Uint8Array.of(0, 1),
    ...over,
  });
  const pair = (id: string, length: number) => ({
    id,
    clean: Array.from({ length }, (_, i) => i),
    corrupted: Array.from({ length }, (_, i) => i + 1),
    answer: [1],
    wrong: [2],
    read: length - 1,
  });
  const grid = { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' } as const;
  const base = { metrics: ['logit_diff'], direction: 'denoising', epsilon: 1e-6 } as const;

  it('leaves null beyond a shorter pair, and where the gap is too small for a ratio', () => {
    const result = assembleResult({
      ...base,
      pairs: [pair('a', 2), pair('b', 1)],
      grids: [grid],
      views: [EACH],
      blocks: [
        tiny({}),
        tiny({
          pair: 1,
          shape: [1, 1],
          raw: [Float64Array.of(3)],
          clean: [5],
          corrupted: [5],
          zero: Uint8Array.of(0),
          trivial: Uint8Array.of(0),
        }),
      ],
    });
    expect(result.effects[0]).toEqual({
      hook: grid.hook,
      metric: 'logit_diff',
      axes: ['pair', 'layer', 'position'],
      shape: [2, 1, 2],
      raw: [1, 2, 3, null],
      normalized: [0.5, 1, null, null],
      structural_zero: [true, false, false, null],
      trivial_sites: [false, true, false, null],
    });
    // First position: mean effect (1 + −2)/2 over |3.5 − 2.5|; second: the one pair that has it.
    expect(result.summary[0]?.recovery).toEqual([-0.5, 1]);
  });

  it('says trivial once where every site is', () => {
    const blocks = [tiny({ shape: [2], trivial: Uint8Array.of(1, 1), zero: Uint8Array.of(0, 0) })];
    const grids = [{ ...grid, axes: 'layer' as const }];
    const [effect] = assembleResult({ ...base, pairs: [pair('a', 2)], grids, views: [EACH], blocks }).effects;
    expect(effect?.trivial).toBe(true);
    expect(effect).not.toHaveProperty('trivial_sites');
  });

  it('drops the position axis for the last token and makes it a span axis for spans', () => {
    const spans = { clean: { S: [0, 1], END: [1, 2] }, corrupted: {} };
    const withSpans = lines.slice(0, 1).map((line) => PairLine.parse({ ...line, id: 'a', spans }));
    const run = (positions: string) => {
      const { grids, views } = gridsFor([grid.hook], positions, withSpans);
      return assembleResult({ ...base, pairs: [pair('a', 2)], grids, views, blocks: [tiny({})] }).effects[0];
    };
    expect(run('last')).toMatchObject({ axes: ['pair', 'layer'], shape: [1, 1], raw: [2] });
    expect(run('span:END,S')).toMatchObject({
      axes: ['pair', 'layer', 'span'],
      shape: [1, 1, 2],
      raw: [2, 1],
    });
    expect(() => run('span:IO')).toThrow(/Pair “a” has no span “IO”/);
    expect(() => run('middle')).toThrow(/names no positions/);
  });
});
