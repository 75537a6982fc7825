import type { MetricScatter } from '../../../shared/contracts/index.ts';
import type { MetricName, SweepHookGrid, SweepId } from '../../../shared/domain/index.ts';
import { siteName } from '../../../shared/figures/index.ts';
import {
  bcaInterval,
  combined,
  ratioOfMeansStatistic,
  spearman,
  type ClusterStatistic,
} from '../../engine/stats/index.ts';
import type { Study } from '../../store/index.ts';
import { clusteredSite, resamplesFor } from '../sweeps/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';
import type { LocatedGrid } from '../sweeps/localisation.ts';
import { metricWords } from './settings.ts';

/**
 * Two metrics of one sweep over the sites of one grid: each site's recovery by both, and their rank correlation with
 * a 95 % interval from the same draws of clusters for both (each draw ranks the sites anew).
 */
export function compareMetrics(
  study: Study,
  grids: GridReader,
  id: SweepId,
  key: SweepHookGrid,
  x: MetricName,
  y: MetricName,
): MetricScatter {
  const [a, b] = [
    grids.located(study, id, { ...key, metric: x }),
    grids.located(study, id, { ...key, metric: y }),
  ];
  const sites = a.grid.state.flatMap((state, site) =>
    state === 'open' &&
    b.grid.state[site] === 'open' &&
    typeof a.grid.recovery[site] === 'number' &&
    typeof b.grid.recovery[site] === 'number'
      ? [site]
      : [],
  );
  const { columns } = a.grid;
  const points = sites.map((site) => {
    const place = { layer: Math.floor(site / columns), column: site % columns };
    const [inA, inB] = [a.grid.detected[site] === true, b.grid.detected[site] === true];
    return {
      ...place,
      site: siteName(a.grid, place),
      a: a.grid.recovery[site] ?? 0,
      b: b.grid.recovery[site] ?? 0,
      where: inA ? (inB ? ('both' as const) : ('a' as const)) : inB ? ('b' as const) : ('none' as const),
    };
  });
  const complete = a.data.sweep.status === 'complete';
  const interval =
    complete && points.length > 1
      ? bcaInterval(rankStatistic(a, b, sites), {
          seed: a.data.sweep.spec.seed,
          resamples: resamplesFor(4 * sites.length, a.data.clusters.length),
        })
      : null;
  return {
    label: a.data.sweep.label,
    x: { metric: x, label: metricWords(x), noRatio: a.data.noRatio },
    y: { metric: y, label: metricWords(y), noRatio: b.data.noRatio },
    points,
    clusters: a.data.clusters.length,
    spearman: spearman(
      points.map((point) => point.a),
      points.map((point) => point.b),
    ),
    low: interval?.low ?? null,
    high: interval?.high ?? null,
  };
}

/** Spearman of both metrics' recoveries over the sites, as a function of how often each cluster counts. */
function rankStatistic(a: LocatedGrid, b: LocatedGrid, sites: readonly number[]): ClusterStatistic {
  const of = ({ data }: LocatedGrid): ClusterStatistic[] =>
    sites.map((site) =>
      ratioOfMeansStatistic(data.sweep.spec.direction, clusteredSite(data, site), data.sweep.spec.epsilon),
    );
  return combined([...of(a), ...of(b)], (values) => {
    const present = sites.flatMap((_, i) => {
      const [p, q] = [values[i] ?? null, values[i + sites.length] ?? null];
      return p === null || q === null ? [] : [[p, q] as const];
    });
    return present.length < 2
      ? null
      : spearman(
          present.map(([p]) => p),
          present.map(([, q]) => q),
        );
  });
}
