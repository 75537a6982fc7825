import type { SweepId, SweepGrid } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import { localisationOf, type SiteLocalisation } from './localisation.ts';
import { readGrid, sweepGrid, type GridData, type GridKey } from './grid.ts';

/** Grids of complete sweeps, whose intervals take a second to compute, are kept. */
export interface GridReader {
  data(study: Study, id: SweepId, key: GridKey): GridData;
  grid(study: Study, id: SweepId, key: GridKey): SweepGrid;
  localisation(study: Study, id: SweepId, key: GridKey): SiteLocalisation;
}

interface Read {
  readonly data: GridData;
  readonly grid: SweepGrid;
  /** Computed when first asked for. */
  localisation: SiteLocalisation | null;
}

const KEPT = 64;

export function createGridReader(): GridReader {
  const kept = new WeakMap<Study, Map<string, Read>>();
  const read = (study: Study, id: SweepId, { hook, axes, metric }: GridKey): Read => {
    const grids = kept.get(study) ?? new Map<string, Read>();
    kept.set(study, grids);
    const name = [id, hook, axes, metric].join(' ');
    const known = grids.get(name);
    if (known !== undefined) return known;
    const data = readGrid(study, study.sweeps.get(id), { hook, axes, metric });
    const made: Read = { data, grid: sweepGrid(data), localisation: null };
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
    localisation: (study, id, key) => {
      const entry = read(study, id, key);
      entry.localisation ??= localisationOf(entry.data, entry.grid);
      return entry.localisation;
    },
  };
}
