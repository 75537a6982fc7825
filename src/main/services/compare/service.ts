import type { ComparisonView, contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { SweepId } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import type { GridKey } from '../sweeps/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { detectionTable } from './several.ts';
import { specNames } from './settings.ts';
import { compareTypes } from './types.ts';
import { compareGrids, type CompareSide } from './view.ts';

/** Two sweeps of one study, compared over one grid. */
export function comparisonView(
  study: Study,
  grids: GridReader,
  a: SweepId,
  b: SweepId,
  key: GridKey,
): ComparisonView {
  const side = (id: SweepId): CompareSide => {
    const sweep = study.sweeps.get(id);
    return {
      sweep,
      grid: grids.grid(study, id, key),
      localisation: grids.localisation(study, id, key),
      names: specNames(study, sweep),
    };
  };
  return compareGrids(side(a), side(b), grids.difference(study, a, b, key));
}

/** Implements `compare`. */
export function createCompareService(
  { session, emit }: ServiceContext,
  grids: GridReader,
): ServiceHandlers<typeof contract.compare> {
  const study = (): Study => session.require().study;
  return {
    view: ({ a, b, ...key }) => comparisonView(study(), grids, a, b, key),
    types: ({ id, ...key }) => compareTypes(grids.located(study(), id, key)),
    several: ({ ids, ...key }) => detectionTable(study(), grids, ids, key),
    list: () => study().comparisons.list(),
    save: ({ a, b, name }) => {
      const id = study().comparisons.save(a, b, name);
      emit('changed', { what: 'comparisons' });
      emit('changed', { what: 'history' });
      return { id };
    },
  };
}
