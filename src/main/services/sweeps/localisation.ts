import type { ComparisonView } from '../../../shared/contracts/index.ts';
import { hookInfo, type SweepGrid } from '../../../shared/domain/index.ts';
import { ClusterBootstrap, localisation, ratioOfMeansStatistic } from '../../engine/stats/index.ts';
import { clusteredSite, resamplesFor, type GridData } from './grid.ts';

/** Strongest sites whose share of the total is reported. */
const TOP_SITES = 5;

export type SiteLocalisation = ComparisonView['localisation'][number];

/** Index of localisation with a cluster-bootstrap interval of the top share; null for residual sites. */
export function localisationOf(data: GridData, grid: SweepGrid): SiteLocalisation {
  const { sweep } = data;
  const clusters = data.clusters.length;
  const empty = {
    label: sweep.label,
    clusters,
    topShare: { k: TOP_SITES, value: null, low: null, high: null },
    gini: null,
    participation: null,
  };
  const mask = grid.state.map((state) => state === 'open');
  if (hookInfo(grid.hook).residual) return empty;
  const index = localisation(grid.recovery, mask, TOP_SITES);
  if (index === null) return empty;
  const { direction, epsilon, seed } = sweep.spec;
  const sites = mask.flatMap((open, site) => (open ? [site] : []));
  const statistics = sites.map((site) =>
    ratioOfMeansStatistic(direction, clusteredSite(data, site), epsilon),
  );
  const interval =
    sweep.status === 'complete'
      ? new ClusterBootstrap(clusters, { seed, resamples: resamplesFor(sites.length, clusters) }).interval({
          clusters,
          value: (weights) =>
            localisation(
              statistics.map((statistic) => statistic.value(weights)),
              undefined,
              TOP_SITES,
            )?.topShare ?? null,
        })
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
