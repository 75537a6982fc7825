import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePairsStrictly } from '../../../../../src/main/services/pairs/parse.ts';
import { preparePair } from '../../../../../src/shared/pairs/index.ts';
import {
  gridsFor,
  parseHooks,
  parseJoint,
  sweepGridsFor,
} from '../../../../../src/main/services/sweeps/positions.ts';
import { assembleResult } from '../../../../../src/main/services/sweeps/result.ts';
import type { PatchBlock } from '../../../../../src/main/runtime/api.ts';
import type { Direction, PatchAxes, PatchResult } from '../../../../../src/shared/domain/index.ts';

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
      draw: 0,
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
    const grids = gridsFor(parseHooks(hook), { positions });
    const axes: Partial<Record<PatchAxes, string>> = {
      layer_position: 'pair,layer,position',
      layer_head: 'pair,layer,head',
      layer: 'pair,layer',
    };
    const name = grids[0]?.axes ?? 'layer';
    const key = name === 'layer_head_position' ? 'pair,layer,head,position' : (axes[name] ?? '');
    const blocks = blocksOf(direction, grids[0]?.hook ?? '', metric, key);
    const { epsilon } = reference[direction];
    const result = assembleResult({
      pairs,
      grids,
      metrics: [metric],
      direction,
      smallestGap: () => epsilon,
      blocks,
    });
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
    draw: 0,
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
  const base = { metrics: ['logit_diff'], direction: 'denoising', smallestGap: () => 1e-6 } as const;

  it('leaves null beyond a shorter pair, and where the gap is too small for a ratio', () => {
    const result = assembleResult({
      ...base,
      pairs: [pair('a', 2), pair('b', 1)],
      grids: [grid],
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
      epsilon: 1e-6,
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
    const [effect] = assembleResult({ ...base, pairs: [pair('a', 2)], grids, blocks }).effects;
    expect(effect?.trivial).toBe(true);
    expect(effect).not.toHaveProperty('trivial_sites');
  });

  it('averages noise draws before anything else, and says how far they spread', () => {
    const blocks = [1, 3].map((raw, draw) =>
      tiny({ draw, raw: [Float64Array.of(raw, 2)], corrupted: [draw] }),
    );
    const input = { ...base, pairs: [pair('a', 2)], grids: [grid], blocks, draws: 2 };
    const { baselines, effects, summary } = assembleResult(input);
    expect(effects[0]).toMatchObject({
      axes: ['pair', 'draw', 'layer', 'position'],
      shape: [1, 2, 1, 2],
      raw: [1, 2, 3, 2],
    });
    expect(baselines.map((b) => [b.draw, b.corrupted])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    // Mean of the draws 2, mean corrupted 0.5, gap 1.5.
    expect(summary[0]?.recovery[0]).toBeCloseTo(1, 12);
    expect(summary[0]?.draw_sd).toEqual([Math.SQRT2, 0]);
  });
});

describe('grids of the command line', () => {
  const [z, pattern, post, final] = parseHooks('z,pattern,mlp.hook_post,ln_final.hook_scale');
  const axes = (hook: typeof z, options: Parameters<typeof gridsFor>[1]): string =>
    gridsFor([hook ?? 'logits'], options)[0]?.axes ?? '';

  it('has the axes that its hook and options allow', () => {
    expect(axes(z, {})).toBe('layer_head');
    expect(axes(z, { positions: 'span:S1,S2' })).toBe('layer_head_span');
    expect(axes(pattern, { sources: true })).toBe('layer_head_position_source');
    expect(axes(post, { neurons: 'all', positions: 'last' })).toBe('layer_neuron');
    expect(axes(final, {})).toBe('position');
    expect(axes(final, { positions: 'last' })).toBe('whole');
    expect(() => axes(pattern, { sources: true, positions: 'all' })).toThrow(/cannot be swept/);
    expect(() => axes(z, { positions: 'middle' })).toThrow(/names no positions/);
    expect(() => axes(z, { from: '3' })).toThrow(/needs one place/);
  });

  it('names places, windows and sources', () => {
    const [grid] = gridsFor([post ?? 'logits'], {
      positions: 'at:subject',
      from: 'last',
      window: 3,
      neurons: [4],
    });
    expect(grid).toEqual({
      hook: post,
      axes: 'layer_neuron',
      window: 3,
      at: 'subject',
      from: -1,
      neurons: [4],
    });
    expect(sweepGridsFor([z ?? 'logits'], { positions: 'each' })[0]?.axes).toBe('layer_head_position');
    expect(() => sweepGridsFor([final ?? 'logits'])).toThrow(/has none/);
    expect(sweepGridsFor([z ?? 'logits'], { positions: 'span:IO,END' })).toEqual([
      { hook: z, axes: 'layer_head_span', spans: ['IO', 'END'] },
    ]);
    const neurons = { neurons: [3, 5], positions: 'all', onlyLayers: [2] };
    expect(sweepGridsFor(['blocks.{layer}.mlp.hook_post'], neurons)).toEqual([
      { hook: 'blocks.{layer}.mlp.hook_post', axes: 'layer_neuron', onlyLayers: [2], neurons: [3, 5] },
    ]);
    expect(sweepGridsFor([z ?? 'logits'], { positions: 'at:END', from: 'S2' })).toEqual([
      { hook: z, axes: 'layer_head', at: 'END', from: 'S2' },
    ]);
    expect(() =>
      sweepGridsFor(['blocks.{layer}.mlp.hook_post'], { neurons: 'all', positions: 'each' }),
    ).toThrow(/layer × position × neuron/);
  });

  it('reads sites that are patched together', () => {
    expect(parseJoint('z:9.6@-1 + mlp_out:0@subject + post:2#7@4<1 + hook_embed@0').sites).toEqual([
      { hook: 'blocks.{layer}.attn.hook_z', layer: 9, head: 6, position: -1 },
      { hook: 'blocks.{layer}.hook_mlp_out', layer: 0, position: 'subject' },
      { hook: 'blocks.{layer}.mlp.hook_post', layer: 2, neuron: 7, position: 4, from: 1 },
      { hook: 'hook_embed', layer: 0, position: 0 },
    ]);
    expect(() => parseJoint('z@3')).toThrow(/names no site/);
    expect(() => parseJoint('nothing:1')).toThrow(/no hook/);
  });
});
