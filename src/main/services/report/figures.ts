import type { FigureRequest } from '../../../shared/contracts/index.ts';
import type { EffectGrid, ResultRef } from '../../../shared/domain/index.ts';
import type { Figure } from '../../../shared/figures/index.ts';
import { sharedDomain } from '../../../shared/figures/index.ts';
import type { Study } from '../../store/index.ts';
import { compareMetrics } from '../compare/metrics.ts';
import { comparisonView } from '../compare/service.ts';
import { severalGrids } from '../compare/several.ts';
import { sourceOf } from '../compare/sides.ts';
import { compareTypes } from '../compare/types.ts';
import { externalGrid } from '../results/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';

type Makers = {
  readonly [K in FigureRequest['kind']]: (request: Extract<FigureRequest, { kind: K }>) => Figure;
};

/** A heatmap of recoveries; of changes where there are none. */
function heatmap(grid: EffectGrid): Figure {
  return grid.noRatio === undefined
    ? { kind: 'effects', grid, domain: sharedDomain([grid]) }
    : { kind: 'changes', grid };
}

/** The data of a figure that somebody asked for, from the study. */
export function figureFor(study: Study, grids: GridReader, request: FigureRequest): Figure {
  const makers: Makers = {
    sweep: ({ id, ...key }) => heatmap(grids.grid(study, id, key)),
    external: ({ id, ...key }) => heatmap(externalGrid(study.externalResults.get(id), key)),
    comparison: ({ a, b, ...key }) => {
      const view = comparisonView(study, grids, a, b, key);
      const [left, right] = view.sides;
      return {
        kind: 'comparison',
        a: view.a,
        b: view.b,
        difference: view.difference,
        labels: { a: left.label, b: right.label },
      };
    },
    layers: ({ ids, column = 0, ...key }) => ({
      kind: 'layers',
      series: ids.map((ref) => {
        const source = sourceOf(study, grids, ref);
        return { label: source.label, grid: source.grid(key), column };
      }),
    }),
    several: ({ refs, ...key }) => ({
      kind: 'multiples',
      panels: severalGrids(study, grids, refs, key).columns.map(({ label, model, grid }) => ({
        title: `${label}  ${model}`,
        grid,
      })),
    }),
    metrics: ({ id, x, y, ...key }) => {
      const view = compareMetrics(study, grids, id, key, x, y);
      return { kind: 'scatter', points: view.points, labels: { a: view.x.label, b: view.y.label } };
    },
    types: ({ id, ...key }) => ({
      kind: 'localisation',
      rows: compareTypes(grids.located(study, id, key)).types.map(
        ({ type, clusters, topShare, low, high }) => ({
          label: `${type}, ${clusters}`,
          value: topShare,
          low,
          high,
        }),
      ),
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
  const label = (ref: ResultRef): string =>
    ref.kind === 'sweep' ? study.sweeps.get(ref.id).label : study.externalResults.get(ref.id).label;
  const sweep = (id: Parameters<typeof study.sweeps.get>[0]): string => study.sweeps.get(id).label;
  const hook = 'hook' in request ? request.hook.replace(/^.*hook_/, '') : '';
  const window = 'window' in request && request.window !== undefined ? ` window ${request.window}` : '';
  const names: { readonly [K in FigureRequest['kind']]: (r: Extract<FigureRequest, { kind: K }>) => string } =
    {
      sweep: (r) => `${sweep(r.id)} ${hook}${window} ${r.metric}`,
      external: (r) => `${study.externalResults.get(r.id).label} ${hook} ${r.metric}`,
      comparison: (r) => `${label(r.a)} and ${label(r.b)} ${hook}${window} ${r.metric}`,
      layers: (r) => `${r.ids.map(label).join(' ')} by layer ${hook}${window} ${r.metric}`,
      several: (r) => `${r.refs.map(label).join(' ')} ${hook}${window} ${r.metric}`,
      metrics: (r) => `${sweep(r.id)} ${hook}${window} ${r.x} against ${r.y}`,
      types: (r) => `${sweep(r.id)} question types ${hook}${window} ${r.metric}`,
      training: (r) => `training run ${r.id}`,
      flow: () => 'record flow',
    };
  return (names[request.kind] as (r: FigureRequest) => string)(request); // keyed by the request's kind
}
