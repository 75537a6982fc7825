import type { DetectionTable } from '../../../shared/contracts/index.ts';
import {
  METRICS,
  sameGrid,
  type SweepGrid,
  type SweepHookGrid,
  type SweepId,
} from '../../../shared/domain/index.ts';
import { siteName } from '../../../shared/figures/index.ts';
import { detect, spearman } from '../../engine/stats/index.ts';
import type { Study } from '../../store/index.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { corruptionWords, methodWords, specNames } from './settings.ts';

/**
 * One grid in any number of sweeps, by every metric of each: what is detected (2 SD; components that help and that
 * hurt) and the rank correlation with the first row. Sweeps without the grid are left out.
 */
export function detectionTable(
  study: Study,
  grids: GridReader,
  ids: readonly SweepId[],
  key: SweepHookGrid,
): DetectionTable {
  const rows = ids.flatMap((id) => {
    const sweep = study.sweeps.get(id);
    if (!sweep.spec.grids.some((grid) => sameGrid(grid, key))) return [];
    return sweep.spec.metrics.map((metric) => ({
      sweep,
      metric,
      grid: grids.grid(study, id, { ...key, metric }),
    }));
  });
  const [first] = rows;
  return {
    rows: rows.map(({ sweep, metric, grid }) => ({
      sweepId: sweep.id,
      label: sweep.label,
      model: specNames(study, sweep).model,
      method: methodWords(sweep.spec.method),
      corruption: corruptionWords(sweep.spec),
      direction: sweep.spec.direction,
      metric: METRICS.find((m) => m.name === metric)?.label ?? metric,
      pairs: grid.pairsDone,
      ...detected(grid),
      spearman: first === undefined || first.grid === grid ? null : agreement(first.grid, grid),
    })),
  };
}

function detected(grid: SweepGrid): { positive: string[]; negative: string[] } {
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
function agreement(a: SweepGrid, b: SweepGrid): number | null {
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
