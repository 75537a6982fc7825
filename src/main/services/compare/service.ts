import type { ComparisonView, contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { ResultRef } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import type { GridKey } from '../sweeps/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { compareMetrics } from './metrics.ts';
import { detectionTable, severalGrids } from './several.ts';
import { sourceOf } from './sides.ts';
import { compareTypes } from './types.ts';
import { compareGrids } from './view.ts';

/** Two results of one study, own or external, compared over one grid. */
export function comparisonView(
  study: Study,
  grids: GridReader,
  a: ResultRef,
  b: ResultRef,
  key: GridKey,
): ComparisonView {
  const difference =
    a.kind === 'sweep' && b.kind === 'sweep' ? grids.difference(study, a.id, b.id, key) : null;
  return compareGrids(sourceOf(study, grids, a), sourceOf(study, grids, b), key, difference);
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
    grids: ({ refs, ...key }) => severalGrids(study(), grids, refs, key),
    metrics: ({ id, x, y, ...grid }) => compareMetrics(study(), grids, id, grid, x, y),
    list: () => study().comparisons.list(),
    save: ({ a, b, name }) => {
      const id = study().comparisons.save(a, b, name);
      emit('changed', { what: 'comparisons' });
      emit('changed', { what: 'history' });
      return { id };
    },
  };
}
