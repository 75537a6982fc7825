import type { contract, ServiceHandlers } from '../../../shared/contracts/index.ts';
import type { Study } from '../../store/index.ts';
import type { ServiceContext } from '../context.ts';
import { attentionOutcomeView } from './attention.ts';
import { readGrid } from './grid.ts';
import { layerTest } from './layers.ts';
import { positionRatios } from './ratios.ts';

/** Implements `readings`: what a stored sweep says beyond its heatmap. */
export function createReadingsService({
  session,
  compute,
}: ServiceContext): ServiceHandlers<typeof contract.readings> {
  const study = (): Study => session.require().study;
  return {
    layers: ({ id, column, ...key }) => layerTest(readGrid(study(), study().sweeps.get(id), key), { column }),
    ratios: ({ id, span, ...grid }) => positionRatios(study(), id, grid, span),
    attention: (query) => attentionOutcomeView(study(), compute, query),
  };
}
