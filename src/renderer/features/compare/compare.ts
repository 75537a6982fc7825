import type { ComparisonView } from '../../../shared/contracts/index.ts';
import {
  hookInfo,
  sameGrid,
  sameRef,
  type MetricName,
  type ResultRef,
  type EffectGrid,
  type SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { siteName, type ScatterPoint, type SitePoint } from '../../../shared/figures/index.ts';
import type { Result } from './result.ts';

/** What a result has to say about itself to be compared. */
type Comparable = Pick<Result, 'grids' | 'metrics'>;

export interface ResultPair {
  readonly a: Result;
  readonly b: Result;
}

/** Grids that both hold, components before residual-stream sites, which have no index of localization. */
export function sharedGrids({ a, b }: { readonly a: Comparable; readonly b: Comparable }): SweepHookGrid[] {
  return a.grids
    .filter((grid) => b.grids.some((other) => sameGrid(grid, other)))
    .toSorted((x, y) => Number(hookInfo(x.hook).residual) - Number(hookInfo(y.hook).residual));
}

export function sharedMetrics({ a, b }: { readonly a: Comparable; readonly b: Comparable }): MetricName[] {
  return a.metrics.filter((metric) => b.metrics.includes(metric));
}

/**
 * What to show before anybody chose: the two latest results that hold a grid in common, sweeps before external
 * ones, of different models over the same pairs where there are such; the older one is A.
 */
export function likelyPair(results: readonly Result[]): ResultPair | null {
  const complete = results.filter((result) => result.complete);
  const pairs = complete.flatMap((b, i) => complete.slice(i + 1).map((a) => ({ a, b })));
  const score = ({ a, b }: ResultPair): number =>
    8 * Number(sharedGrids({ a, b }).length > 0 && sharedMetrics({ a, b }).length > 0) +
    4 * Number(a.sweep !== null && b.sweep !== null) +
    2 * Number(a.sweep?.spec.pairSetId === b.sweep?.spec.pairSetId) +
    Number(a.sweep?.spec.modelId !== b.sweep?.spec.modelId);
  return pairs.toSorted((x, y) => score(y) - score(x))[0] ?? null;
}

const flat = (grid: EffectGrid, { layer, column }: SitePoint): number =>
  layer < grid.layers && column < grid.columns ? layer * grid.columns + column : -1;

/** What two results are compared over. */
export interface Compared extends Readonly<SweepHookGrid> {
  readonly a: ResultRef;
  readonly b: ResultRef;
  readonly metric: MetricName;
}

/** Whether an answer is to what is chosen now. */
export function answers(view: ComparisonView | undefined, compared: Compared | null): boolean {
  if (view === undefined || compared === null) return false;
  const [a, b] = view.sides;
  const sides = sameRef(a.ref, compared.a) && sameRef(b.ref, compared.b);
  return sides && view.a.metric === compared.metric && sameGrid(view.a, compared);
}

/** Value of a site; null where the grid has none or it was not measured. */
export function valueAt(grid: EffectGrid, site: SitePoint): number | null {
  return grid.recovery[flat(grid, site)] ?? null;
}

const siteKey = ({ layer, column }: SitePoint): string => `${layer} ${column}`;

/** One point for every site measured in both grids (not zero by construction, not trivial). */
export function scatterPoints(view: ComparisonView): ScatterPoint[] {
  const { a, b } = view;
  const where = new Map(view.detected.map((d) => [siteKey(d), d.where]));
  const open = (grid: EffectGrid, site: SitePoint) => grid.state[flat(grid, site)] === 'open';
  return Array.from({ length: Math.min(a.layers, b.layers) * Math.min(a.columns, b.columns) }, (_, i) => {
    const columns = Math.min(a.columns, b.columns);
    return { layer: Math.floor(i / columns), column: i % columns };
  }).flatMap((site) => {
    const [x, y] = [valueAt(a, site), valueAt(b, site)];
    if (x === null || y === null || !open(a, site) || !open(b, site)) return [];
    const label = a.axes === 'layer_position' ? `${site.layer}, ${site.column}` : siteName(a, site);
    return [
      { ...site, site: siteName(a, site), label, a: x, b: y, where: where.get(siteKey(site)) ?? 'none' },
    ];
  });
}

/** Detected sites by the larger of both effects, strongest first. */
export function detectedRows(view: ComparisonView): ComparisonView['detected'] {
  const strength = (row: ComparisonView['detected'][number]) =>
    Math.max(Math.abs(row.a ?? 0), Math.abs(row.b ?? 0));
  return view.detected.toSorted((x, y) => strength(y) - strength(x));
}

export function detectedCounts(view: ComparisonView): { both: number; a: number; b: number } {
  const count = (where: 'both' | 'a' | 'b') => view.detected.filter((d) => d.where === where).length;
  return { both: count('both'), a: count('a'), b: count('b') };
}

export type Verdict = 'none' | 'open' | 'a' | 'b';

/**
 * Which grid holds more of its positive effect in its strongest sites, as far as the 95 % interval of the paired
 * difference says, or where there is none, the intervals of both. `open`: not settled; `none`: the index is
 * not defined (residual sites, no ratios), or one sweep restores what the other breaks.
 */
export function localisationVerdict(view: ComparisonView): Verdict {
  const [a, b] = view.localisation.map((l) => l.topShare);
  if (a === undefined || b === undefined || a.value === null || b.value === null) return 'none';
  if (view.a.direction !== view.b.direction) return 'none';
  const paired = view.localisationDifference;
  if (paired !== null) return paired.low > 0 ? 'b' : paired.high < 0 ? 'a' : 'open';
  if (a.low === null || a.high === null || b.low === null || b.high === null) return 'open';
  if (a.low <= b.high && b.low <= a.high) return 'open';
  return a.value > b.value ? 'a' : 'b';
}

/** Whether Gini and participation ratio order A and B as the share does; null where one is missing. */
export function indicesAgree(view: ComparisonView): boolean | null {
  const [a, b] = view.localisation;
  if (a === undefined || b === undefined) return null;
  const values = [a.topShare.value, b.topShare.value, a.gini, b.gini, a.participation, b.participation];
  if (values.includes(null)) return null;
  const order = (x: number | null, y: number | null) => Math.sign((x ?? 0) - (y ?? 0));
  const share = order(a.topShare.value, b.topShare.value);
  // A high ratio of participation means spread out, so it orders the other way round.
  return order(a.gini, b.gini) === share && order(b.participation, a.participation) === share;
}

/** |effect| below this counts as next to nothing in the remark about the rank correlation. */
const NEAR_ZERO = 0.05;

/** Share of the points that are near zero in both sweeps. */
export function nearZeroShare(points: readonly ScatterPoint[]): number {
  if (points.length === 0) return 0;
  return points.filter((p) => Math.abs(p.a) < NEAR_ZERO && Math.abs(p.b) < NEAR_ZERO).length / points.length;
}

export function meanGap({ meanClean, meanCorrupted }: EffectGrid): number | null {
  return meanClean === null || meanCorrupted === null ? null : meanClean - meanCorrupted;
}

/** The sides that have no recovery at all, because there is no gap to recover. */
export function withoutRecovery({ a, b }: ComparisonView): ('A' | 'B')[] {
  const none = (grid: EffectGrid) =>
    grid.state.every((state, i) => state !== 'open' || (grid.recovery[i] ?? null) === null);
  return [...(none(a) ? (['A'] as const) : []), ...(none(b) ? (['B'] as const) : [])];
}
