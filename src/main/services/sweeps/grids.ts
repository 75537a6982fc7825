import type { SweepId, SweepGrid } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import { readGrid, sweepGrid, type GridData, type GridKey } from './grid.ts';

/** Grids of complete sweeps, whose intervals take a second to compute, are kept. */
export interface GridReader {
  data(study: Study, id: SweepId, key: GridKey): GridData;
  grid(study: Study, id: SweepId, key: GridKey): SweepGrid;
}

const KEPT = 64;

export function createGridReader(): GridReader {
  const kept = new WeakMap<Study, Map<string, { data: GridData; grid: SweepGrid }>>();
  const read = (
    study: Study,
    id: SweepId,
    { hook, axes, metric }: GridKey,
  ): { data: GridData; grid: SweepGrid } => {
    const grids = kept.get(study) ?? new Map<string, { data: GridData; grid: SweepGrid }>();
    kept.set(study, grids);
    const name = [id, hook, axes, metric].join(' ');
    const known = grids.get(name);
    if (known !== undefined) return known;
    const data = readGrid(study, study.sweeps.get(id), { hook, axes, metric });
    const made = { data, grid: sweepGrid(data) };
    if (data.sweep.status === 'complete') grids.set(name, made);
    for (const oldest of grids.keys()) {
      if (grids.size <= KEPT) break;
      grids.delete(oldest);
    }
    return made;
  };
  return {
    data: (study, id, key) => read(study, id, key).data,
    grid: (study, id, key) => read(study, id, key).grid,
  };
}
