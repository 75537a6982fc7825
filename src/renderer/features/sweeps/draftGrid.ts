import type { EngramClient } from '../../../shared/contracts/index.ts';
import {
  SweepId,
  type SweepHookGrid,
  type Model,
  type Pair,
  type PairTokens,
  type SweepGrid,
  type SweepPlan,
  type SweepSpec,
} from '../../../shared/domain/index.ts';

/** Pairs whose tokens are looked at for a preview. */
const PREVIEW_PAIRS = 48;

export interface Preview {
  readonly tokens: readonly PairTokens[];
  /** Whether every pair of the set was looked at. */
  readonly complete: boolean;
}

/** Tokens of the first pairs of a set; those that cannot be swept (unequal lengths) are left out. */
export async function previewTokens(
  client: EngramClient,
  pairs: readonly Pair[],
  modelId: Model['id'],
): Promise<Preview> {
  const answers = await Promise.all(
    pairs.slice(0, PREVIEW_PAIRS).map(({ line }) => client.pairs.tokens({ modelId, line })),
  );
  const tokens = answers.map((answer) => answer.tokens).filter((t) => t.clean.length === t.corrupted.length);
  return { tokens, complete: pairs.length <= PREVIEW_PAIRS };
}

/** The empty grid of a sweep that was not run: its rows, its columns, and what is zero by construction. */
export function draftGrid(
  spec: SweepSpec,
  grid: SweepHookGrid,
  model: Model,
  { tokens, complete }: Preview,
): SweepGrid {
  const { axes } = grid;
  const positions = Math.max(1, ...tokens.map((t) => t.clean.length));
  const heads = model.config.nHead;
  const across: Readonly<Record<SweepHookGrid['axes'], number>> = {
    layer: 1,
    layer_position: positions,
    layer_head: heads,
    layer_head_position: heads * positions,
    layer_span: grid.spans?.length ?? 0,
    layer_head_span: heads * (grid.spans?.length ?? 0),
    layer_neuron: grid.neurons?.length ?? model.config.dMlp,
  };
  const columns = across[axes];
  const label = (column: number): string => {
    if (axes === 'layer') return '';
    if (axes === 'layer_head') return String(column);
    if (axes === 'layer_neuron') return String(grid.neurons?.[column] ?? column);
    if (axes === 'layer_span') return grid.spans?.[column] ?? '';
    if (axes === 'layer_head_span') {
      const spans = grid.spans ?? [];
      return `${Math.floor(column / spans.length)} · ${spans[column % spans.length] ?? ''}`;
    }
    const at = column % positions;
    const texts = new Set(tokens.map((t) => t.clean[at]?.text));
    const [only] = texts;
    const name = texts.size === 1 && only !== undefined ? only : String(at);
    return axes === 'layer_position' ? name : `${Math.floor(column / positions)} · ${name}`;
  };
  // Before the first difference nothing can move: known only when every pair was looked at.
  const first = complete ? Math.min(...tokens.map((t) => t.differing[0] ?? positions)) : 0;
  const fixed = (column: number) => axes === 'layer_position' && column < first;
  const cells = Array.from({ length: model.config.nLayer * columns }, (_, i) => i % columns);
  const nothing = cells.map(() => null);
  return {
    sweepId: SweepId.parse(1),
    ...grid,
    metric: spec.metrics[0] ?? 'logit_diff',
    layers: model.config.nLayer,
    columns,
    columnLabels: Array.from({ length: columns }, (_, c) => label(c)),
    pairsDone: 0,
    pairsTotal: Math.max(1, tokens.length),
    recovery: nothing,
    raw: nothing,
    low: nothing,
    high: nothing,
    state: cells.map((column, i) =>
      grid.onlyLayers?.includes(Math.floor(i / columns)) === false
        ? 'missing'
        : fixed(column)
          ? 'zero'
          : 'open',
    ),
    detected: cells.map(() => false),
    meanClean: null,
    meanCorrupted: null,
    direction: spec.direction,
  };
}

/** Spans that the clean prompt of every pair has. */
export function sharedSpans(pairs: readonly Pair[]): string[] {
  const [first, ...rest] = pairs.map(({ line }) => line.spans?.clean ?? {});
  return Object.keys(first ?? {}).filter((name) => rest.every((spans) => spans[name] !== undefined));
}

/** What several sweeps cost together. */
export function joinedPlan(plans: readonly SweepPlan[]): SweepPlan {
  const total = (of: (plan: SweepPlan) => number): number => plans.reduce((sum, plan) => sum + of(plan), 0);
  return {
    sites: total((p) => p.sites),
    pairs: Math.max(0, ...plans.map((p) => p.pairs)),
    runs: total((p) => p.runs),
    structuralZeros: total((p) => p.structuralZeros),
    skipped: plans[0]?.skipped ?? [],
    floorFlops: total((p) => p.floorFlops),
    seconds: total((p) => p.seconds),
    warnings: [...new Set(plans.flatMap((p) => p.warnings))],
  };
}

/** Names of positions that every pair gives to the same single token (spans of one token). */
export function positionNames(pairs: readonly Pair[]): Map<number, string> {
  const [first, ...rest] = pairs.map(({ line }) => line.spans?.clean ?? {});
  const shared = Object.entries(first ?? {}).filter(
    ([name, [start, end]]) =>
      end - start === 1 && rest.every((spans) => spans[name]?.[0] === start && spans[name][1] === end),
  );
  return new Map(shared.map(([name, [start]]) => [start, name]));
}
