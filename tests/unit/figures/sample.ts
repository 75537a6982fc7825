import { SweepId, type SiteDetail, type SweepGrid } from '../../../src/shared/domain/index.ts';
import type { AttentionView, EpochPoint, LensView, StepPoint } from '../../../src/shared/domain/index.ts';
import type { Figure } from '../../../src/shared/figures/index.ts';

const sweepId = SweepId.parse(7);

/** 4 layers × 5 tokens: two columns fixed, the last layer's last token trivial, one value beyond the domain. */
export function positionGrid(change: Partial<SweepGrid> = {}): SweepGrid {
  const layers = 4;
  const columns = 5;
  const at = (i: number) => ({ layer: Math.floor(i / columns), column: i % columns });
  const cells = Array.from({ length: layers * columns }, (_, i) => at(i));
  const recovery = cells.map(({ layer, column }) =>
    column < 2 ? 0 : column === 4 ? layer / 2 - 0.3 : 0.02 * layer,
  );
  return {
    sweepId,
    hook: 'blocks.{layer}.hook_resid_pre',
    metric: 'logit_diff',
    axes: 'layer_position',
    layers,
    columns,
    columnLabels: ['When', ' John', ' Mary', ' gave', ' to'],
    pairsDone: 8,
    pairsTotal: 8,
    recovery,
    raw: recovery.map((r) => -3.5 + 7 * r),
    low: recovery.map((r) => r - 0.05),
    high: recovery.map((r) => r + 0.05),
    state: cells.map(({ layer, column }) =>
      column < 2 ? 'zero' : column === 4 && layer === 3 ? 'trivial' : 'open',
    ),
    detected: cells.map(({ layer, column }) => column === 4 && layer === 2),
    meanClean: 3.5,
    meanCorrupted: -3.5,
    direction: 'denoising',
    ...change,
  };
}

export function headGrid(shift = 0): SweepGrid {
  const recovery = Array.from({ length: 16 }, (_, i) => Math.sin(i * 2.3) / 3 + shift);
  return {
    ...positionGrid(),
    hook: 'blocks.{layer}.attn.hook_z',
    axes: 'layer_head',
    columns: 4,
    columnLabels: ['0', '1', '2', '3'],
    recovery,
    raw: recovery,
    low: recovery.map(() => null),
    high: recovery.map(() => null),
    state: recovery.map(() => 'open'),
    detected: recovery.map((r) => Math.abs(r) > 0.32),
  };
}

const detail: SiteDetail = {
  sweepId,
  hook: 'blocks.{layer}.hook_attn_out',
  metric: 'logit_diff',
  layer: 2,
  column: 4,
  title: 'Attention output, layer 2 at “to”',
  head: null,
  position: 4,
  recovery: 0.57,
  low: 0.51,
  high: 0.63,
  n: 8,
  clusters: 8,
  meanPatched: 0.49,
  meanClean: 3.55,
  meanCorrupted: -3.55,
  p: null,
  pHolm: null,
  caveat: 'refused',
  trivial: false,
  pairs: [0.5, 0.52, 0.55, 0.55, 0.6, 0.63, 0.66, null].map((recovery, i) => ({
    id: `P-${i}`,
    recovery,
    raw: recovery,
  })),
};

const steps: StepPoint[] = Array.from({ length: 60 }, (_, i) => ({
  step: i + 1,
  epoch: (i + 1) / 20,
  loss: 5 * Math.exp(-i / 30) + 1,
  learningRate: 1e-3,
  gradientNorm: 1,
  tokensPerSecond: 9000,
}));
const epochs: EpochPoint[] = [1, 2, 3].map((epoch) => ({
  epoch,
  step: epoch * 20,
  trainLoss: 4 - epoch,
  validationLoss: 4.2 - epoch + (epoch === 3 ? 1.5 : 0),
  best: epoch === 2,
}));

const tokens = ['When', ' Mary', ' and', ' John', ' went', ' to'];
const attention: AttentionView = {
  layer: 1,
  head: 3,
  heads: 4,
  pair: 'P-0',
  tokens,
  weights: tokens.flatMap((_, q) => tokens.map((_key, k) => (k > q ? 0 : 1 / (q + 1)))),
};
const lens: LensView = {
  pair: 'P-0',
  position: 5,
  token: ' to',
  layers: [0, 1, 2, 3, 4].map((i) => ({
    logitDiff: i - 1.5,
    answer: i / 10,
    wrong: 0.2 - i / 25,
    top: [
      { token: ' the', probability: 0.4 },
      { token: ' Mary', probability: 0.1 },
    ],
  })),
};

const compared = { a: headGrid(), b: headGrid(0.1), difference: headGrid().recovery.map(() => 0.1) };
const labels = { a: 'gpt2', b: 'gpt2-epilepsy' };

/** As `positionGrid`, between baselines too near each other to divide by. */
export function unratioed(): SweepGrid {
  const { recovery, ...grid } = positionGrid({ meanClean: 0.02, meanCorrupted: -0.02 });
  return {
    ...grid,
    recovery: recovery.map(() => null),
    low: recovery.map(() => null),
    high: recovery.map(() => null),
    effect: recovery.map((r) => (r ?? 0) / 25),
    detected: recovery.map(() => false),
    noRatio: 'The mean gap between clean and corrupted is 0.04, below 0.1.',
  };
}

/** One figure of every kind. */
export const figures: readonly Figure[] = [
  { kind: 'effects', grid: positionGrid(), title: 'Residual stream' },
  { kind: 'changes', grid: unratioed() },
  { kind: 'comparison', ...compared, labels },
  {
    kind: 'multiples',
    panels: ['S-01', 'S-02', 'X-01'].map((title, i) => ({ title, grid: headGrid(i / 10) })),
  },
  {
    kind: 'layers',
    series: [
      { label: 'gpt2', grid: positionGrid(), column: 4 },
      { label: 'gpt2-epilepsy', grid: positionGrid(), column: 2 },
    ],
  },
  {
    kind: 'scatter',
    labels,
    points: headGrid().recovery.map((a, i) => ({
      layer: Math.floor(i / 4),
      column: i % 4,
      site: `${Math.floor(i / 4)}.${i % 4}`,
      a: a ?? 0,
      b: 0.1,
      where: (['none', 'both', 'a', 'b'] as const)[i % 4] ?? 'none',
    })),
  },
  { kind: 'training', steps, epochs },
  { kind: 'pairs', detail },
  { kind: 'attention', view: attention, query: 5 },
  { kind: 'lens', view: lens },
  {
    kind: 'flow',
    flow: {
      read: 400,
      rejected: 2,
      duplicates: 12,
      screened: 386,
      excluded: 30,
      excludedByReason: [
        { reason: 'animal study', count: 20 },
        { reason: 'no abstract', count: 10 },
      ],
      maybe: 4,
      undecided: 0,
      included: 352,
    },
  },
  {
    kind: 'localisation',
    rows: [
      { label: 'Definitional, 26', value: 0.41, low: 0.33, high: 0.49 },
      { label: 'Associative, 18', value: 0.35, low: null, high: null },
    ],
  },
];
