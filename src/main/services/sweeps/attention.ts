import type { AttentionOutcomeView } from '../../../shared/contracts/index.ts';
import {
  smallestGap,
  type AttentionLook,
  type Direction,
  type HeadRef,
  type MetricName,
  type SiteSpec,
  type SweepId,
} from '../../../shared/domain/index.ts';
import {
  ClusterBootstrap,
  cohenDz,
  groupByItem,
  holm,
  intervalRefusal,
  meanStatistic,
  ratioOfMeans,
  ratioOfMeansStatistic,
  signFlipTest,
  type Measured,
} from '../../engine/stats/index.ts';
import { requestOf } from '../../jobs/sweep-request.ts';
import type { AttentionOutcome, ComputeApi } from '../../runtime/api.ts';
import type { Study } from '../../store/index.ts';
import { meanOf } from './grid.ts';

export interface AttentionQuery {
  readonly id: SweepId;
  readonly sites: readonly SiteSpec[];
  readonly watch: readonly HeadRef[];
  readonly looks: readonly AttentionLook[];
}

/**
 * Patches sites of a stored sweep's pairs together, in the sweep's direction and under its corruption and source, and
 * reads how the attention of other heads changes (Zhang & Nanda 2024, section 3.2).
 * @throws UserInputError HEAD_OUTSIDE, LOOK_AHEAD, SITE_OUTSIDE, SPAN_UNKNOWN.
 */
export async function attentionOutcomeView(
  study: Study,
  compute: ComputeApi,
  { id, sites, watch, looks }: AttentionQuery,
): Promise<AttentionOutcomeView> {
  const { spec } = study.sweeps.get(id);
  const inputs = study.sweeps.inputs(id);
  const { grids: _grids, ...request } = requestOf(study, spec, inputs);
  const outcomes: AttentionOutcome[] = [];
  const { milliseconds } = await compute.attentionOutcome(
    { ...request, sites, watch, looks },
    { onEvent: (outcome) => outcomes.push(outcome) },
  );
  const view = summarised({
    outcomes,
    items: inputs.map(({ item }) => item),
    direction: spec.direction,
    seed: spec.seed,
    metrics: spec.metrics,
    smallestGap: (metric) => smallestGap(metric, spec.epsilon),
    watch,
    looks,
  });
  return { ...view, milliseconds };
}

export interface OutcomeSummary {
  readonly outcomes: readonly AttentionOutcome[];
  /** Cluster of each pair. */
  readonly items: readonly string[];
  readonly direction: Direction;
  readonly seed: number;
  readonly metrics: readonly MetricName[];
  readonly smallestGap: (metric: MetricName) => number;
  readonly watch: readonly HeadRef[];
  readonly looks: readonly AttentionLook[];
}

/** Attention probabilities nearer to each other than this have no way between them. */
const SMALLEST_ATTENTION_GAP = 0.01;

const placeName = (place: number | string): string =>
  place === -1 ? 'last token' : typeof place === 'string' ? place : `token ${place}`;

/** Outcomes of all pairs as a table: draws averaged within a pair first, tests Holm-adjusted over the table. */
export function summarised(summary: OutcomeSummary): Omit<AttentionOutcomeView, 'milliseconds'> {
  const { direction, seed, watch, looks } = summary;
  const pairs = averaged(summary.outcomes);
  const clusters = groupByItem(pairs.map(({ pair }) => summary.items[pair] ?? String(pair)));
  const grouped = <T>(values: readonly T[]): T[][] =>
    clusters.map((group) => group.flatMap((k) => values.slice(k, k + 1)));
  const bootstrap = new ClusterBootstrap(clusters.length, { seed });
  const cells = watch.flatMap((head, w) =>
    looks.map((look, l) => ({ ...head, look, at: w * looks.length + l })),
  );
  const rows = cells.map(({ layer, head, look, at }) => {
    const values = pairs.map(({ clean, corrupted, patched }): Measured => ({
      clean: clean[at] ?? Number.NaN,
      corrupted: corrupted[at] ?? Number.NaN,
      raw: patched[at] ?? Number.NaN,
    }));
    const changes = values.map((v) => v.raw - (direction === 'denoising' ? v.corrupted : v.clean));
    const byCluster = grouped(changes);
    const interval = bootstrap.interval(meanStatistic(byCluster));
    const effects = byCluster.map((own) => meanOf(own) ?? 0);
    const { p, caveat } = signFlipTest(effects, { tests: cells.length, seed });
    const [clean, corrupted] = [
      meanOf(values.map((v) => v.clean)) ?? 0,
      meanOf(values.map((v) => v.corrupted)) ?? 0,
    ];
    const change = meanOf(changes) ?? 0;
    return {
      caveat,
      row: {
        layer,
        head,
        from: placeName(look.from),
        to: placeName(look.to),
        clean,
        corrupted,
        patched: meanOf(values.map((v) => v.raw)) ?? 0,
        change,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        effectSize: cohenDz(effects),
        p,
        restored: shareOfWay(change, clean, corrupted, direction),
      },
    };
  });
  const adjusted = holm(rows.flatMap(({ row }) => (row.p === null ? [] : [row.p])));
  let rank = 0;
  const caveats = [intervalRefusal(clusters.length), rows[0]?.caveat ?? null].filter((text) => text !== null);
  return {
    pairs: pairs.length,
    clusters: clusters.length,
    direction,
    rows: rows.map(({ row }) => ({ ...row, pHolm: row.p === null ? null : (adjusted[rank++] ?? null) })),
    metrics: summary.metrics.map((metric, m) => {
      const values = pairs.map(({ metrics }): Measured => ({
        clean: metrics.clean[m] ?? Number.NaN,
        corrupted: metrics.corrupted[m] ?? Number.NaN,
        raw: metrics.patched[m] ?? Number.NaN,
      }));
      const least = summary.smallestGap(metric);
      const interval = bootstrap.interval(ratioOfMeansStatistic(direction, grouped(values), least));
      return {
        metric,
        clean: meanOf(values.map((v) => v.clean)),
        corrupted: meanOf(values.map((v) => v.corrupted)),
        patched: meanOf(values.map((v) => v.raw)),
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        recovery: ratioOfMeans(direction, values, least),
      };
    }),
    caveats,
  };
}

/** Change ÷ the whole way to the run patched from; null where there is none to speak of. */
function shareOfWay(change: number, clean: number, corrupted: number, direction: Direction): number | null {
  const way = direction === 'denoising' ? clean - corrupted : corrupted - clean;
  return Math.abs(way) < SMALLEST_ATTENTION_GAP ? null : change / way;
}

interface PairOutcome {
  readonly pair: number;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly patched: readonly number[];
  readonly metrics: AttentionOutcome['metrics'];
}

/** Means over the draws of noise of each pair: draws are not samples. */
function averaged(outcomes: readonly AttentionOutcome[]): PairOutcome[] {
  const mean = (of: readonly ArrayLike<number>[]): number[] =>
    Array.from(
      { length: of[0]?.length ?? 0 },
      (_, i) => of.reduce((sum, values) => sum + (values[i] ?? Number.NaN), 0) / of.length,
    );
  return [...Map.groupBy(outcomes, ({ pair }) => pair)]
    .toSorted(([a], [b]) => a - b)
    .map(([pair, draws]) => ({
      pair,
      clean: mean(draws.map((o) => o.clean)),
      corrupted: mean(draws.map((o) => o.corrupted)),
      patched: mean(draws.map((o) => o.patched)),
      metrics: {
        clean: mean(draws.map((o) => o.metrics.clean)),
        corrupted: mean(draws.map((o) => o.metrics.corrupted)),
        patched: mean(draws.map((o) => o.metrics.patched)),
      },
    }));
}
