import type { TypeComparison } from '../../../shared/contracts/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import {
  bcaInterval,
  groupDifference,
  groupRefusal,
  holm,
  localisation,
  permutationTest,
  ratioOfMeansStatistic,
} from '../../engine/stats/index.ts';
import { clusteredSite, resamplesFor } from '../sweeps/grid.ts';
import { openSites, shareStatistic, TOP_SITES, type LocatedGrid } from '../sweeps/localisation.ts';

/** Of pairs without one. */
const UNTYPED = 'no type';

type Share = (weights: ArrayLike<number>) => number | null;

/**
 * Question types on one grid (METHODS section 2): the index of localisation of each type with its interval over
 * clusters, and for any two types the difference of the top share with its interval and a permutation test that
 * moves type labels between whole clusters, Holm-corrected over the pairs of types. Refused, with the reason, for
 * residual sites, incomplete sweeps and types with too few clusters.
 */
export function compareTypes(located: LocatedGrid): TypeComparison {
  const { data, grid } = located;
  const { sweep } = data;
  const types = clusterTypes(located);
  const names = [...new Set(types)].sort();
  const sites = openSites(located);
  const share = shareStatistic(located, sites).value;
  const complete = sweep.status === 'complete';
  const refusal = hookInfo(grid.hook).residual
    ? 'Residual-stream sites carry everything before them and are no components: they have no index of localisation.'
    : !complete
      ? 'The sweep is not complete.'
      : data.noRatio !== null
        ? data.noRatio
        : names.length < 2
          ? 'All pairs are of one question type. Give the pairs of the set their types, then sweep again.'
          : null;
  if (refusal !== null) return { label: sweep.label, k: TOP_SITES, types: [], differences: [], refusal };
  const compared = names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b] as const));
  const tested = compared.map(([a, b]) => difference(located, share, types, a, b, compared.length));
  const adjusted = holm(tested.flatMap(({ p }) => (p === null ? [] : [p])));
  let rank = 0;
  return {
    label: sweep.label,
    k: TOP_SITES,
    types: names.map((name) => typeRow(located, sites, types, name)),
    differences: tested.map((row) => ({ ...row, pHolm: row.p === null ? null : (adjusted[rank++] ?? null) })),
    refusal: null,
  };
}

/** Type of each cluster: that of its first pair. */
function clusterTypes({ data }: LocatedGrid): string[] {
  return data.clusters.map(([first = -1]) => data.inputs[data.pairs[first] ?? -1]?.type ?? UNTYPED);
}

function typeRow(
  located: LocatedGrid,
  sites: readonly number[],
  types: readonly string[],
  type: string,
): TypeComparison['types'][number] {
  const { data } = located;
  const { direction, epsilon, seed } = data.sweep.spec;
  const own = types.flatMap((t, i) => (t === type ? [i] : []));
  const ones = new Float64Array(own.length).fill(1);
  const statistics = sites.map((site) => {
    const clusters = clusteredSite(data, site);
    return ratioOfMeansStatistic(
      direction,
      own.flatMap((i) => clusters.slice(i, i + 1)),
      epsilon,
    );
  });
  const indexOf = (weights: ArrayLike<number>) =>
    localisation(
      statistics.map((s) => s.value(weights)),
      undefined,
      TOP_SITES,
    );
  const index = indexOf(ones);
  const interval = bcaInterval(
    { clusters: own.length, value: (weights) => indexOf(weights)?.topShare ?? null },
    { seed, resamples: resamplesFor(sites.length, own.length) },
  );
  return {
    type,
    clusters: own.length,
    pairs: own.reduce((sum, i) => sum + (data.clusters[i]?.length ?? 0), 0),
    topShare: index?.topShare ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    gini: index?.gini ?? null,
    participation: index?.participation ?? null,
  };
}

function difference(
  { data, grid }: LocatedGrid,
  share: Share,
  types: readonly string[],
  a: string,
  b: string,
  tests: number,
): Omit<TypeComparison['differences'][number], 'pHolm'> {
  const inside = types.flatMap((type, i) => (type === a || type === b ? [i] : []));
  const labels = inside.map((i) => types[i] === a);
  const { seed } = data.sweep.spec;
  const resamples = resamplesFor(2 * grid.recovery.length, inside.length);
  /** Weights over the clusters of both types as weights over all. */
  const spread = (weights: ArrayLike<number>): number | null => {
    const all = new Float64Array(types.length);
    inside.forEach((cluster, i) => (all[cluster] = weights[i] ?? 0));
    return share(all);
  };
  const interval = groupDifference(labels, spread, { resamples, seed });
  const of = labels.filter(Boolean).length;
  const caveat = groupRefusal({ a, x: of }, { b, y: labels.length - of }, tests);
  const test =
    caveat === null
      ? permutationTest(
          labels,
          (relabeled) => {
            const x = spread(relabeled.map(Number));
            const y = spread(relabeled.map((inA) => Number(!inA)));
            return x === null || y === null ? null : x - y;
          },
          { permutations: resamples, seed },
        )
      : null;
  return {
    a,
    b,
    value: interval?.value ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    p: test?.p ?? null,
    caveat: caveat ?? (test === null ? 'One of the types has no positive effect.' : null),
  };
}
