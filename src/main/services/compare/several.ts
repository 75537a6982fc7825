import type { DetectionTable, SeveralView } from '../../../shared/contracts/index.ts';
import {
  sameGrid,
  type EffectGrid,
  type ResultRef,
  type SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { siteName } from '../../../shared/figures/index.ts';
import { detect, spearman } from '../../engine/stats/index.ts';
import type { Study } from '../../store/index.ts';
import type { GridKey } from '../sweeps/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { metricWords } from './settings.ts';
import { sourceOf } from './sides.ts';

/**
 * One grid in any number of results, by every metric of each: what is detected (2 SD; components that help and that
 * hurt) and the rank correlation with the first row. Results without the grid are left out.
 */
export function detectionTable(
  study: Study,
  grids: GridReader,
  refs: readonly ResultRef[],
  key: SweepHookGrid,
): DetectionTable {
  const rows = refs.flatMap((ref) => {
    const source = sourceOf(study, grids, ref);
    if (!source.grids.some((grid) => sameGrid(grid, key))) return [];
    return source.metrics.map((metric) => ({ source, metric, grid: source.grid({ ...key, metric }) }));
  });
  const [first] = rows;
  return {
    rows: rows.map(({ source, metric, grid }) => ({
      ref: source.ref,
      label: source.label,
      model: source.model,
      method: source.method,
      corruption: source.corruption,
      direction: grid.direction,
      metric: metricWords(metric),
      metricName: metric,
      pairs: source.external !== null && grid.pairsDone === 0 ? null : grid.pairsDone,
      ...detected(grid),
      spearman: first === undefined || first.grid === grid ? null : agreement(first.grid, grid),
    })),
  };
}

/** One grid and metric of three and more results beside each other, with the rank correlation of any two. */
export function severalGrids(
  study: Study,
  grids: GridReader,
  refs: readonly ResultRef[],
  key: GridKey,
): SeveralView {
  const columns = refs.flatMap((ref) => {
    const source = sourceOf(study, grids, ref);
    const has = source.metrics.includes(key.metric) && source.grids.some((grid) => sameGrid(grid, key));
    return has ? [{ source, grid: source.grid(key) }] : [];
  });
  return {
    columns: columns.map(({ source, grid }) => ({
      ref: source.ref,
      label: source.label,
      name: source.name,
      model: source.model,
      external: source.external,
      grid,
    })),
    spearman: columns.map((a, i) => columns.map((b, j) => (i === j ? 1 : agreement(a.grid, b.grid)))),
  };
}

function detected(grid: EffectGrid): { positive: string[]; negative: string[] } {
  const { sign } = detect(
    grid.recovery,
    grid.state.map((state) => state === 'open'),
  );
  const names = (wanted: number): string[] =>
    sign.flatMap((s, i) =>
      s === wanted ? [siteName(grid, { layer: Math.floor(i / grid.columns), column: i % grid.columns })] : [],
    );
  return { positive: names(1), negative: names(-1) };
}

/** Over sites open in both; null where the grids differ in size. */
function agreement(a: EffectGrid, b: EffectGrid): number | null {
  if (a.layers !== b.layers || a.columns !== b.columns) return null;
  const both = a.recovery.flatMap((x, i) => {
    const y = b.recovery[i] ?? null;
    return x === null || y === null || a.state[i] !== 'open' || b.state[i] !== 'open'
      ? []
      : [[x, y] as const];
  });
  return spearman(
    both.map(([x]) => x),
    both.map(([, y]) => y),
  );
}
