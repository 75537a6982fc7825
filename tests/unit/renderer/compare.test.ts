import { describe, expect, it } from 'vitest';
import type { ComparisonView } from '../../../src/shared/contracts/index.ts';
import {
  ExternalSummary,
  ModelId,
  PairSetId,
  Sweep,
  SweepId,
  sweepRef,
  type ResultRef,
} from '../../../src/shared/domain/index.ts';
import {
  detectedCounts,
  detectedRows,
  indicesAgree,
  likelyPair,
  localisationVerdict,
  nearZeroShare,
  scatterPoints,
  sharedGrids,
  withoutRecovery,
} from '../../../src/renderer/features/compare/compare.ts';
import { externalResult, resultsOf, sweepResult } from '../../../src/renderer/features/compare/result.ts';
import { isInReport } from '../../../src/renderer/features/compare/toReport.ts';
import { headGrid, positionGrid } from '../figures/sample.ts';

const HEADS = { hook: 'blocks.{layer}.attn.hook_z', axes: 'layer_head' } as const;
const RESIDUAL = { hook: 'blocks.{layer}.hook_resid_pre', axes: 'layer_position' } as const;

function sweep(id: number, change: Partial<Sweep> & { model?: number; pairs?: number } = {}): Sweep {
  const { model = 1, pairs = 1, ...rest } = change;
  return Sweep.parse({
    id,
    label: `S-0${id}`,
    name: `sweep ${id}`,
    spec: {
      modelId: ModelId.parse(model),
      pairSetId: PairSetId.parse(pairs),
      grids: [RESIDUAL, HEADS],
      direction: 'denoising',
      method: 'exact',
      corruption: 'str',
      metrics: ['logit_diff'],
    },
    status: 'complete',
    jobId: null,
    createdAt: '2026-11-21T08:00:00.000Z',
    finishedAt: '2026-11-21T08:01:00.000Z',
    plan: null,
    warnings: [],
    provenance: null,
    ...rest,
  });
}

function external(): ExternalSummary {
  return ExternalSummary.parse({
    id: 4,
    label: 'X-04',
    name: 'theirs',
    format: 'tables',
    source: 'another lab',
    note: '',
    model: null,
    method: null,
    corruption: null,
    direction: 'denoising',
    remarks: [],
    file: 'theirs.json',
    sha256: 'a'.repeat(64),
    bytes: 100,
    importedAt: '2026-11-21T08:00:00.000Z',
    tables: [{ ...HEADS, name: 'z', metric: 'logit_diff', layers: 4, columns: 4, pairs: null }],
  });
}

type Side = ComparisonView['localisation'][number];
function side(value: number | null, reach: number | null = 0.1, change: Partial<Side> = {}): Side {
  const end = (sign: number) => (value === null || reach === null ? null : value + sign * reach);
  return {
    label: 'S',
    clusters: 20,
    topShare: { k: 5, value, low: end(-1), high: end(1) },
    gini: value,
    participation: value === null ? null : 1 - value,
    ...change,
  };
}

function view(change: Partial<ComparisonView> = {}): ComparisonView {
  const { sweepId: _a, ...a } = headGrid();
  const { sweepId: _b, ...b } = headGrid(0.01);
  const ref = (id: number) => sweepRef(SweepId.parse(id));
  return {
    sides: [
      { ref: ref(1), label: 'S-01', external: null },
      { ref: ref(2), label: 'S-02', external: null },
    ],
    a,
    b,
    difference: headGrid().recovery.map(() => 0.01),
    spearman: 1,
    pearson: 1,
    n: 16,
    overlap: null,
    detected: [],
    settings: [],
    sharedSettings: [],
    localisation: [side(0.4), side(0.8)],
    localisationDifference: null,
    notes: [],
    ...change,
  };
}

describe('which sweeps are compared first', () => {
  it('are the latest of different models over the same pairs, the older one as A', () => {
    const base = sweep(1);
    const tuned = sweep(2, { model: 2 });
    const others = sweep(3, { model: 2, pairs: 2 });
    expect(likelyPair(resultsOf([base, tuned, others], [external()]))).toEqual({
      a: sweepResult(base),
      b: sweepResult(tuned),
    });
  });
  it('are a sweep and external results where there is no second sweep', () => {
    const pair = likelyPair(resultsOf([sweep(1)], [external()]));
    expect([pair?.a.key, pair?.b.key].toSorted()).toEqual(['1', 'x4']);
    expect(pair === null ? [] : sharedGrids(pair)).toEqual([HEADS]);
  });
  it('leave out what is not finished, and are none below two', () => {
    expect(likelyPair(resultsOf([sweep(1), sweep(2, { status: 'running' })], []))).toBeNull();
  });
});

it('offers components before the residual stream, and only what both hold', () => {
  const [a, b] = [sweepResult(sweep(1)), sweepResult(sweep(2))];
  expect(sharedGrids({ a, b })).toEqual([HEADS, RESIDUAL]);
  expect(sharedGrids({ a, b: { ...b, grids: [HEADS] } })).toEqual([HEADS]);
});

describe('the verdict on localization', () => {
  it('follows the interval of the paired difference where there is one', () => {
    const settled = { value: 0.4, low: 0.2, high: 0.5 };
    const overlapping = [side(0.4, 0.3), side(0.8, 0.3)];
    expect(localisationVerdict(view({ localisation: overlapping, localisationDifference: settled }))).toBe(
      'b',
    );
    expect(
      localisationVerdict(view({ localisationDifference: { value: -0.4, low: -0.5, high: -0.2 } })),
    ).toBe('a');
    expect(localisationVerdict(view({ localisationDifference: { value: 0.4, low: -0.01, high: 0.9 } }))).toBe(
      'open',
    );
  });
  it('else asks whether the intervals of both lie apart', () => {
    expect(localisationVerdict(view())).toBe('b');
    expect(localisationVerdict(view({ localisation: [side(0.8), side(0.4)] }))).toBe('a');
    expect(localisationVerdict(view({ localisation: [side(0.4, 0.2), side(0.8, 0.2)] }))).toBe('open');
    expect(localisationVerdict(view({ localisation: [side(0.4, null), side(0.8)] }))).toBe('open');
  });
  it('is withheld where a gap is near zero, the directions differ, or the index is not defined', () => {
    const none = headGrid().recovery.map(() => null);
    expect(withoutRecovery(view({ b: { ...headGrid(), recovery: none } }))).toEqual(['B']);
    expect(localisationVerdict(view({ b: { ...headGrid(), direction: 'noising' } }))).toBe('none');
    expect(localisationVerdict(view({ localisation: [side(null), side(0.8)] }))).toBe('none');
  });
  it('says whether the other indices order both sides alike', () => {
    expect(indicesAgree(view())).toBe(true);
    expect(indicesAgree(view({ localisation: [side(0.4, 0.1, { gini: 0.9 }), side(0.8)] }))).toBe(false);
    expect(indicesAgree(view({ localisation: [side(0.4, 0.1, { gini: null }), side(0.8)] }))).toBeNull();
  });
});

describe('sites of both sweeps', () => {
  it('are points where both were measured; zero and trivial ones are none', () => {
    const points = scatterPoints(view({ a: positionGrid(), b: positionGrid() }));
    expect(points).toHaveLength(4 * 3 - 1);
    expect(points.some((p) => p.column < 2 || (p.layer === 3 && p.column === 4))).toBe(false);
    expect(nearZeroShare(points)).toBeCloseTo(6 / 11, 12);
  });
  it('are listed as detected by the larger effect, and counted by where', () => {
    const row = (layer: number, a: number, b: number, where: 'both' | 'a' | 'b') => ({
      layer,
      column: 0,
      site: `${layer}.0`,
      a,
      b,
      where,
    });
    const compared = view({
      detected: [row(0, 0.2, 0.1, 'a'), row(1, 0.1, -0.9, 'b'), row(2, 0.5, 0.5, 'both')],
    });
    expect(detectedRows(compared).map((d) => d.layer)).toEqual([1, 2, 0]);
    expect(detectedCounts(compared)).toEqual({ both: 1, a: 1, b: 1 });
  });
});

it('finds a comparison in the report by both of its sweeps in their order', () => {
  const [one, two] = [sweep(1), sweep(2)];
  const pair = { a: sweepResult(one), b: sweepResult(two) };
  const section = { kind: 'comparison' as const, title: '', text: '', sweepIds: [one.id, two.id] };
  expect(isInReport({ title: '', author: '', sections: [section] }, pair)).toBe(true);
  expect(isInReport({ title: '', author: '', sections: [section] }, { a: pair.b, b: pair.a })).toBe(false);
  expect(isInReport({ title: '', author: '', sections: [{ ...section, kind: 'sweep' }] }, pair)).toBe(false);
  const beside = { a: pair.a, b: externalResult(external()) };
  const results: [ResultRef, ResultRef] = [beside.a.ref, beside.b.ref];
  const named = { ...section, sweepIds: [one.id], results };
  expect(isInReport({ title: '', author: '', sections: [named] }, beside)).toBe(true);
  expect(isInReport({ title: '', author: '', sections: [named] }, pair)).toBe(false);
});
