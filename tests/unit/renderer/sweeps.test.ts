import { describe, expect, it } from 'vitest';
import { allHeads } from '../../../src/renderer/features/sweeps/advanced.ts';
import {
  changed,
  draftOf,
  emptyDraft,
  hookNames,
  PRESETS,
  specOf,
  viewsOf,
} from '../../../src/renderer/features/sweeps/draft.ts';
import { draftGrid, positionNames } from '../../../src/renderer/features/sweeps/draftGrid.ts';
import { cellState, fixedColumns } from '../../../src/shared/figures/index.ts';
import {
  Model,
  ModelId,
  Pair,
  PairSetId,
  SweepSpec,
  type PairTokens,
} from '../../../src/shared/domain/index.ts';

const complete = { ...emptyDraft(), modelId: ModelId.parse(2), pairSetId: PairSetId.parse(3) };
const HEADS = 'blocks.{layer}.attn.hook_z' as const;

describe('the sentence of a sweep', () => {
  it('is no specification before it is complete', () => {
    expect(specOf(emptyDraft())).toBeNull();
    expect(specOf({ ...complete, hooks: [] })).toBeNull();
  });
  it('becomes a valid specification and back', () => {
    const spec = SweepSpec.parse(specOf(complete));
    expect(spec.grids.map((g) => g.axes)).toEqual(['layer_position', 'layer_position', 'layer_position']);
    expect(draftOf(spec, complete.name)).toEqual(complete);
  });
  it('falls back to positions where a grid over heads has sites without heads', () => {
    const heads = changed(complete, { hooks: [HEADS], axes: 'layer_head' });
    expect(heads.axes).toBe('layer_head');
    const mixed = changed(heads, { hooks: [...heads.hooks, 'blocks.{layer}.hook_mlp_out'] });
    expect(mixed.axes).toBe('layer_position');
    expect([allHeads(heads.hooks), allHeads(mixed.hooks), allHeads([])]).toEqual([true, false, false]);
  });
  it('keeps its method', () => {
    const estimated = changed(complete, { method: 'atp-star' });
    const spec = SweepSpec.parse(specOf(estimated));
    expect(spec.method).toBe('atp-star');
    expect(draftOf(spec, complete.name)).toEqual(estimated);
  });
  it('has views that fit its sites', () => {
    expect(viewsOf(HEADS)).toEqual({ attention: true, lens: false });
    expect(viewsOf('blocks.{layer}.hook_attn_out')).toEqual({ attention: true, lens: true });
    expect(viewsOf('blocks.{layer}.hook_resid_pre')).toEqual({ attention: false, lens: true });
  });
  it.each(PRESETS)('has a preset $id that makes a valid specification', (preset) => {
    const next = changed(complete, preset.change(complete));
    expect(SweepSpec.safeParse(specOf(next)).success).toBe(true);
    expect(hookNames(next.hooks).length).toBe(next.hooks.length);
  });
});

const model = Model.parse({
  id: 2,
  name: 'm',
  origin: 'imported',
  parentId: null,
  trainingRunId: null,
  config: {
    family: 'gpt2',
    nLayer: 3,
    nHead: 4,
    dModel: 8,
    dMlp: 32,
    nCtx: 16,
    vocabSize: 9,
    layerNormEps: 1e-5,
    activation: 'gelu_new',
    tiedEmbeddings: true,
    bosTokenId: null,
    eosTokenId: null,
  },
  parameters: 1,
  bytes: 4,
  tokenizer: 'none',
  weightsHash: 'h',
  createdAt: '2026-11-21T00:00:00.000Z',
  evaluation: null,
});
const tokensOf = (words: readonly string[], differing: readonly number[]): PairTokens => {
  const all = words.map((text, id) => ({ id, text }));
  return {
    clean: all,
    corrupted: all,
    answer: [],
    wrong: [],
    differing: [...differing],
    read: words.length - 1,
  };
};

describe('the empty grid of a draft', () => {
  const tokens = [tokensOf(['When', ' John', ' to'], [2]), tokensOf(['When', ' Mary', ' to', ' x'], [1, 3])];
  const spec = SweepSpec.parse(specOf(complete));
  const grid = (axes: 'layer' | 'layer_position' | 'layer_head', all = true) =>
    draftGrid(spec, { hook: HEADS, axes }, model, { tokens, complete: all });

  it('is as large as the longest prompt, and fixed before the first difference of any pair', () => {
    const positions = grid('layer_position');
    expect([positions.layers, positions.columns]).toEqual([3, 4]);
    expect([...fixedColumns(positions)]).toEqual([0]);
    expect(cellState(positions, 0)).toBe('zero');
    expect(cellState(positions, 1)).toBe('not-run');
  });
  it('names a position only where all pairs have the same token', () => {
    expect(grid('layer_position').columnLabels.slice(0, 3)).toEqual(['When', '1', ' to']);
  });
  it('claims nothing where not every pair was looked at, nor over heads', () => {
    expect(fixedColumns(grid('layer_position', false)).size).toBe(0);
    expect(grid('layer_head').columns).toBe(4);
    expect(grid('layer').columns).toBe(1);
  });
});

describe('names of positions', () => {
  const pair = (spans: Record<string, [number, number]>) =>
    Pair.parse({
      id: 1,
      setId: 3,
      ordinal: 0,
      editedAt: '2026-11-21T00:00:00.000Z',
      line: { id: 'p', clean: 'a', corrupted: 'b', answer: ['c'], wrong: ['d'], spans: { clean: spans } },
    });
  it('are the one-token spans that all pairs share', () => {
    const pairs = [
      pair({ S2: [2, 3], END: [4, 5], WIDE: [0, 2] }),
      pair({ S2: [2, 3], END: [5, 6], WIDE: [0, 2] }),
    ];
    expect([...positionNames(pairs)]).toEqual([[2, 'S2']]);
    expect(positionNames([]).size).toBe(0);
  });
});
