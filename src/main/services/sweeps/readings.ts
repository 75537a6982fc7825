import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import { attentionOutcomeView } from './attention.ts';
import type { GridReader } from './grids.ts';
import { layerTest } from './layers.ts';
import { positionRatios } from './ratios.ts';

/** Implements `readings`: what a stored sweep says beyond its heatmap. */
export function createReadingsService(
  { session, compute }: ServiceContext,
  grids: GridReader,
): ServiceHandlers<typeof contract.readings> {
  const study = (): Study => session.require().study;
  return {
    layers: ({ id, column, ...key }) => layerTest(grids.data(study(), id, key), { column }),
    ratios: ({ id, span, ...grid }) => positionRatios(study(), grids, id, grid, span),
    attention: (query) => attentionOutcomeView(study(), compute, query),
  };
}
