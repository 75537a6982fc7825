import type { MetricName, SiteDetail, SweepGrid } from '../../../shared/domain/index.ts';
import { GAP_WARNING } from '../../../shared/pairs/index.ts';

/** Metrics in logits, whose gap between the baselines has a scale that can be judged. */
const IN_LOGITS: ReadonlySet<MetricName> = new Set(['logit_diff', 'logit_diff_sum', 'log_prob']);

/** Mean gap of the baselines where it is too near 0 to divide by, else null. */
export function nearZeroGap(
  grid: Pick<SweepGrid, 'metric' | 'meanClean' | 'meanCorrupted'> | undefined,
): number | null {
  if (grid === undefined || grid.meanClean === null || grid.meanCorrupted === null) return null;
  const gap = grid.meanClean - grid.meanCorrupted;
  return IN_LOGITS.has(grid.metric) && Math.abs(gap) < GAP_WARNING ? gap : null;
}

/** The grid with its ratios undefined where they would divide by almost nothing; raw metrics stay. */
export function definedRatios(grid: SweepGrid): SweepGrid {
  if (nearZeroGap(grid) === null) return grid;
  const nothing = grid.recovery.map(() => null);
  return {
    ...grid,
    recovery: nothing,
    low: nothing,
    high: nothing,
    detected: grid.detected.map(() => false),
  };
}

/** A site's headline likewise. */
export function definedSite(detail: SiteDetail): SiteDetail {
  return nearZeroGap(detail) === null ? detail : { ...detail, recovery: null, low: null, high: null };
}
