import { gridId, gridOf, type SweepGrid, type SweepId } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import {
  localisationDifference,
  localisationOf,
  type LocalisationDifference,
  type LocatedGrid,
  type SiteLocalisation,
} from './localisation.ts';
import { readGrid, sweepGrid, type GridData, type GridKey } from './grid.ts';

/** Grids of complete sweeps, whose intervals take a second to compute, are kept. */
export interface GridReader {
  located(study: Study, id: SweepId, key: GridKey): LocatedGrid;
  data(study: Study, id: SweepId, key: GridKey): GridData;
  grid(study: Study, id: SweepId, key: GridKey): SweepGrid;
  localisation(study: Study, id: SweepId, key: GridKey): SiteLocalisation;
  /** B − A; see `localisationDifference`. */
  difference(study: Study, a: SweepId, b: SweepId, key: GridKey): LocalisationDifference;
}

interface Read {
  readonly data: GridData;
  readonly grid: SweepGrid;
  /** Computed when first asked for. */
  localisation: SiteLocalisation | null;
  /** To other sweeps, likewise. */
  readonly differences: Map<SweepId, LocalisationDifference>;
}

const KEPT = 64;

export function createGridReader(): GridReader {
  const kept = new WeakMap<Study, Map<string, Read>>();
  const read = (study: Study, id: SweepId, key: GridKey): Read => {
    const grids = kept.get(study) ?? new Map<string, Read>();
    kept.set(study, grids);
    const name = [id, gridId(key), key.metric].join(' ');
    const known = grids.get(name);
    if (known !== undefined) return known;
    const data = readGrid(study, study.sweeps.get(id), { ...gridOf(key), metric: key.metric });
    const made: Read = { data, grid: sweepGrid(data), localisation: null, differences: new Map() };
    if (data.sweep.status === 'complete') grids.set(name, made);
    for (const oldest of grids.keys()) {
      if (grids.size <= KEPT) break;
      grids.delete(oldest);
    }
    return made;
  };
  return {
    located: (study, id, key) => read(study, id, key),
    data: (study, id, key) => read(study, id, key).data,
    grid: (study, id, key) => read(study, id, key).grid,
    localisation: (study, id, key) => {
      const entry = read(study, id, key);
      entry.localisation ??= localisationOf(entry);
      return entry.localisation;
    },
    difference: (study, a, b, key) => {
      const [from, to] = [read(study, a, key), read(study, b, key)];
      const known = from.differences.get(b);
      if (known !== undefined) return known;
      const made = localisationDifference(from, to);
      // An incomplete sweep has none yet.
      if (to.data.sweep.status === 'complete') from.differences.set(b, made);
      return made;
    },
  };
}
