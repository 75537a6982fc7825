import type { FigureRequest } from '../../../shared/contracts/index.ts';
import type { Figure } from '../../../shared/figures/index.ts';
import { sharedDomain } from '../../../shared/figures/index.ts';
import type { Study } from '../../store/index.ts';
import { comparisonView } from '../compare/service.ts';
import type { GridReader } from '../sweeps/grids.ts';

type Makers = {
  readonly [K in FigureRequest['kind']]: (request: Extract<FigureRequest, { kind: K }>) => Figure;
};

/** The data of a figure that somebody asked for, from the study. */
export function figureFor(study: Study, grids: GridReader, request: FigureRequest): Figure {
  const makers: Makers = {
    sweep: ({ id, ...key }) => {
      const grid = grids.grid(study, id, key);
      return grid.noRatio === undefined
        ? { kind: 'effects', grid, domain: sharedDomain([grid]) }
        : { kind: 'changes', grid };
    },
    comparison: ({ a, b, ...key }) => {
      const view = comparisonView(study, grids, a, b, key);
      const label = (id: typeof a): string => study.sweeps.get(id).label;
      return {
        kind: 'comparison',
        a: view.a,
        b: view.b,
        difference: view.difference,
        labels: { a: label(a), b: label(b) },
      };
    },
    layers: ({ ids, column = 0, ...key }) => ({
      kind: 'layers',
      series: ids.map((id) => ({
        label: study.sweeps.get(id).label,
        grid: grids.grid(study, id, key),
        column,
      })),
    }),
    training: ({ id }) => ({
      kind: 'training',
      steps: study.training.steps(id),
      epochs: study.training.epochs(id),
    }),
    flow: () => ({ kind: 'flow', flow: study.curation.flow() }),
  };
  return (makers[request.kind] as (request: FigureRequest) => Figure)(request); // keyed by the request's kind
}

/** A file name for a figure, without extension. */
export function figureName(study: Study, request: FigureRequest): string {
  const label = (id: Parameters<typeof study.sweeps.get>[0]): string => study.sweeps.get(id).label;
  const hook = 'hook' in request ? request.hook.replace(/^.*hook_/, '') : '';
  const window = 'window' in request && request.window !== undefined ? ` window ${request.window}` : '';
  const names: { readonly [K in FigureRequest['kind']]: (r: Extract<FigureRequest, { kind: K }>) => string } =
    {
      sweep: (r) => `${label(r.id)} ${hook}${window} ${r.metric}`,
      comparison: (r) => `${label(r.a)} and ${label(r.b)} ${hook}${window} ${r.metric}`,
      layers: (r) => `${r.ids.map(label).join(' ')} by layer ${hook}${window} ${r.metric}`,
      training: (r) => `training run ${r.id}`,
      flow: () => 'record flow',
    };
  return (names[request.kind] as (r: FigureRequest) => string)(request); // keyed by the request's kind
}
