import type { ComparisonView } from '../../../shared/contracts/index.ts';
import { hookInfo, type SweepGrid } from '../../../shared/domain/index.ts';
import {
  ClusterBootstrap,
  combined,
  differenceStatistic,
  localisation,
  ratioOfMeansStatistic,
  type ClusterStatistic,
} from '../../engine/stats/index.ts';
import { clusteredSite, resamplesFor, type GridData } from './grid.ts';

/** Strongest sites whose share of the total is reported. */
export const TOP_SITES = 5;

export type SiteLocalisation = ComparisonView['localisation'][number];
export type LocalisationDifference = ComparisonView['localisationDifference'];

/** A grid with the numbers it was made from. */
export interface LocatedGrid {
  readonly data: GridData;
  readonly grid: SweepGrid;
}

/** Sites that count: measured, neither zero nor trivial by construction. */
export function openSites({ grid }: LocatedGrid): number[] {
  return grid.state.flatMap((state, site) => (state === 'open' ? [site] : []));
}

/** The share of the strongest sites as a function of how often each cluster counts. */
export function shareStatistic({ data }: LocatedGrid, sites: readonly number[]): ClusterStatistic {
  const { direction, epsilon } = data.sweep.spec;
  const statistics = sites.map((site) =>
    ratioOfMeansStatistic(direction, clusteredSite(data, site), epsilon),
  );
  return combined(statistics, (values) => localisation(values, undefined, TOP_SITES)?.topShare ?? null);
}

/** Index of localisation with a cluster-bootstrap interval of the top share; null for residual sites. */
export function localisationOf(located: LocatedGrid): SiteLocalisation {
  const { data, grid } = located;
  const { sweep } = data;
  const clusters = data.clusters.length;
  const empty = {
    label: sweep.label,
    clusters,
    topShare: { k: TOP_SITES, value: null, low: null, high: null },
    gini: null,
    participation: null,
  };
  const sites = openSites(located);
  if (hookInfo(grid.hook).residual) return empty;
  const index = localisation(
    grid.recovery,
    grid.state.map((state) => state === 'open'),
    TOP_SITES,
  );
  if (index === null) return empty;
  const interval =
    sweep.status === 'complete'
      ? bootstrap(located, sites.length).interval(shareStatistic(located, sites))
      : null;
  return {
    label: sweep.label,
    clusters,
    topShare: {
      k: TOP_SITES,
      value: index.topShare,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
    },
    gini: index.gini,
    participation: index.participation,
  };
}

/**
 * B − A in the share of the strongest sites, with its paired interval: clusters are drawn once for both. Null
 * where the grids cannot be paired (other items, sites or direction, residual sites, an incomplete sweep).
 */
export function localisationDifference(a: LocatedGrid, b: LocatedGrid): LocalisationDifference {
  const sites = openSites(a);
  const paired =
    !hookInfo(a.grid.hook).residual &&
    [a, b].every(({ data }) => data.sweep.status === 'complete' && data.noRatio === null) &&
    a.grid.direction === b.grid.direction &&
    same(sites, openSites(b)) &&
    same(itemsOf(a), itemsOf(b));
  if (!paired) return null;
  const statistic = differenceStatistic(shareStatistic(a, sites), shareStatistic(b, sites));
  const interval = bootstrap(a, 2 * sites.length).interval(statistic);
  return interval === null ? null : { value: interval.estimate, low: interval.low, high: interval.high };
}

function bootstrap({ data }: LocatedGrid, sites: number): ClusterBootstrap {
  const clusters = data.clusters.length;
  return new ClusterBootstrap(clusters, {
    seed: data.sweep.spec.seed,
    resamples: resamplesFor(sites, clusters),
  });
}

/** Name of each cluster, in the order of the clusters. */
function itemsOf({ data }: LocatedGrid): string[] {
  return data.clusters.map(([first = -1]) => data.inputs[data.pairs[first] ?? -1]?.item ?? '');
}

function same<T>(x: readonly T[], y: readonly T[]): boolean {
  return x.length === y.length && x.every((value, i) => value === y[i]);
}
