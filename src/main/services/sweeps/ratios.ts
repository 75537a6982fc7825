import type { PositionRatios } from '../../../shared/contracts/index.ts';
import type { Sweep, SweepHookGrid } from '../../../shared/domain/index.ts';
import { sameGrid } from '../../../shared/domain/index.ts';
import {
  baseline,
  bcaInterval,
  intervalRefusal,
  meanStatistic,
  type ClusterStatistic,
} from '../../engine/stats/index.ts';
import type { Study, SweepInput } from '../../store/index.ts';
import { corruptionWords } from '../compare/settings.ts';
import { meanOf, readGrid, type GridData } from './grid.ts';

type Span = readonly [start: number, end: number];
type Place = (span: Span, read: number) => readonly number[];

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
const last: Place = ([, end]) => [end - 1];

/** Ratios of the effect on a span's last token to that elsewhere, each summed over layers and the tokens there. */
const RATIOS: readonly {
  readonly id: string;
  readonly name: string;
  readonly meaning: string;
  readonly over: Place;
}[] = [
  {
    id: 'middle',
    name: 'last ÷ middle',
    meaning: 'As Zhang & Nanda 2024, section 4.1: neither the first nor the last token of the span.',
    over: ([start, end]) => range(start + 1, end - 1),
  },
  {
    id: 'other',
    name: 'last ÷ others',
    meaning: 'All tokens of the span but the last.',
    over: ([start, end]) => range(start, end - 1),
  },
  {
    id: 'end',
    name: 'last ÷ end of prompt',
    meaning: 'The early site against the late one: the position at which the metric is read.',
    over: ([, end], read) => (read >= end ? [read] : []),
  },
];

/** Effects that add up to less than this share of the gap between clean and corrupted are nothing to divide by. */
const SMALLEST_SHARE = 0.01;

/**
 * How much of the effect stands on the last token of a named span (Zhang & Nanda 2024, section 4.1), for every metric
 * of the sweep and of the study's other complete sweeps that differ from it in nothing but corruption and metrics.
 * A ratio is of sums over pairs; its interval is over clusters. Undefined, with the reason, where what it would be
 * divided by is near zero.
 */
export function positionRatios(
  study: Study,
  id: Sweep['id'],
  grid: SweepHookGrid,
  wanted?: string,
): PositionRatios {
  const sweep = study.sweeps.get(id);
  const spans = severalTokens(study.sweeps.inputs(id), sweep);
  const span = wanted ?? (spans.includes('subject') ? 'subject' : (spans[0] ?? null));
  const empty: PositionRatios = {
    spans,
    span,
    ratios: RATIOS.map(({ id: name, name: title, meaning }) => ({ id: name, name: title, meaning })),
    rows: [],
    leftOut: 0,
    refusal: refusalOf(sweep, grid, span),
  };
  if (empty.refusal !== null || span === null) return empty;
  const others = study.sweeps.list().filter((other) => comparable(sweep, other, grid));
  const all = [sweep, ...others.toSorted((a, b) => a.id - b.id)];
  const read = all.flatMap((one) =>
    one.spec.metrics.map((metric) => readGrid(study, one, { ...grid, metric })),
  );
  const [first] = read;
  return {
    ...empty,
    leftOut:
      first === undefined
        ? 0
        : first.pairs.filter((_, k) => RATIOS.some(({ over }) => sums(first, k, span, over) === null)).length,
    rows: read.map((data) => ({
      sweepId: data.sweep.id,
      label: data.sweep.label,
      corruption: corruptionWords(data.sweep.spec),
      metric: data.key.metric,
      ratios: RATIOS.map(({ id: name, over }) => ({ id: name, ...ratioOf(data, span, over) })),
    })),
  };
}

function refusalOf(sweep: Sweep, grid: SweepHookGrid, span: string | null): string | null {
  if (grid.axes !== 'layer_position')
    return 'Effects are compared between positions: sweep layer × position.';
  if (sweep.status !== 'complete') return 'The ratios are given when the sweep is complete.';
  if (span !== null) return null;
  return 'No pair has a named span of several tokens: draw the subject in the pair editor, then sweep again.';
}

/** Alike in everything that a ratio depends on but the corruption. */
function comparable(sweep: Sweep, other: Sweep, grid: SweepHookGrid): boolean {
  const [a, b] = [sweep.spec, other.spec];
  return (
    other.id !== sweep.id &&
    other.status === 'complete' &&
    a.modelId === b.modelId &&
    a.pairSetId === b.pairSetId &&
    a.direction === b.direction &&
    a.method === b.method &&
    JSON.stringify(a.source) === JSON.stringify(b.source) &&
    b.grids.some((own) => sameGrid(own, grid))
  );
}

/** Positions of a grid are those of the prompt that was patched into. */
function targetSide({ direction, corruption, source }: Sweep['spec']): 'clean' | 'corrupted' {
  return direction === 'noising' || corruption === 'gn' || source?.kind === 'model' ? 'clean' : 'corrupted';
}

function severalTokens(inputs: readonly SweepInput[], sweep: Sweep): string[] {
  const side = targetSide(sweep.spec);
  const names = inputs.flatMap(({ spans = {} }) =>
    Object.entries(spans).flatMap(([name, places]) => (places[side][1] - places[side][0] > 1 ? [name] : [])),
  );
  return [...new Set(names)];
}

interface Sums {
  readonly top: number;
  readonly bottom: number;
  readonly gap: number;
}

/** Effects of the k-th pair at the two places, summed over layers and tokens; null where one place has no token. */
function sums(data: GridData, k: number, name: string, over: Place): Sums | null {
  const { inputs, pairs, measured, shape, state, sweep } = data;
  const input = inputs[pairs[k] ?? -1];
  const side = targetSide(sweep.spec);
  const span = input?.spans?.[name]?.[side];
  if (input === undefined || span === undefined || span[1] <= span[0]) return null;
  const read = side === 'corrupted' ? (input.readCorrupted ?? input.read) : input.read;
  const [layers = 0, columns = 0] = shape;
  const total = (tokens: readonly number[]): number => {
    let sum = 0;
    for (let layer = 0; layer < layers; layer++) {
      for (const token of tokens) {
        const site = layer * columns + token;
        const value = measured[site]?.[k];
        if (value === undefined || state[site] === 'zero' || !Number.isFinite(value.raw)) continue;
        sum += value.raw - baseline(sweep.spec.direction, value);
      }
    }
    return sum;
  };
  const below = over(span, read);
  const value = measured[0]?.[k];
  if (below.length === 0 || value === undefined) return null;
  return { top: total(last(span, read)), bottom: total(below), gap: value.clean - value.corrupted };
}

type Ratio = Omit<PositionRatios['rows'][number]['ratios'][number], 'id'>;

function ratioOf(data: GridData, span: string, over: Place): Ratio {
  const { seed } = data.sweep.spec;
  const clusters = data.clusters.flatMap((members) => {
    const own = members.flatMap((k) => sums(data, k, span, over) ?? []);
    return own.length === 0 ? [] : [own];
  });
  const each = clusters.flat();
  const meanOver = (of: (s: Sums) => number): number | null => meanOf(each.map(of));
  const statistic: ClusterStatistic = {
    clusters: clusters.length,
    value: (weights) => {
      let [top, bottom] = [0, 0];
      clusters.forEach((own, c) => {
        for (const s of own) {
          top += (weights[c] ?? 0) * s.top;
          bottom += (weights[c] ?? 0) * s.bottom;
        }
      });
      return bottom === 0 ? null : top / bottom;
    },
  };
  const below = bcaInterval(meanStatistic(clusters.map((own) => own.map((s) => s.bottom))), { seed });
  const common = {
    numerator: meanOver((s) => s.top),
    denominator: meanOver((s) => s.bottom),
    pairs: each.length,
    clusters: clusters.length,
  };
  const reason = undefinedBecause(
    common,
    meanOver((s) => s.gap),
    below,
  );
  if (reason !== null) return { ...common, value: null, low: null, high: null, reason };
  const interval = bcaInterval(statistic, { seed });
  return {
    ...common,
    value: statistic.value(new Float64Array(clusters.length).fill(1)),
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    reason: intervalRefusal(clusters.length),
  };
}

const short = (value: number): string => String(Number(value.toPrecision(2))).replace('-', '−');

/** Why there is nothing to divide by; null where there is. */
function undefinedBecause(
  { denominator, pairs }: Pick<Ratio, 'denominator' | 'pairs'>,
  gap: number | null,
  below: { readonly low: number; readonly high: number } | null,
): string | null {
  if (pairs === 0 || denominator === null || gap === null) return 'No pair has tokens at both places.';
  if (Math.abs(denominator) < SMALLEST_SHARE * Math.abs(gap)) {
    return `The effects to divide by add up to ${short(denominator)}, under 1 % of the gap of ${short(gap)}.`;
  }
  if (below !== null && below.low <= 0 && below.high >= 0) {
    return `The effects to divide by, ${short(denominator)} [${short(below.low)}, ${short(below.high)}], are not told from zero: the ratio could be anything.`;
  }
  return null;
}
