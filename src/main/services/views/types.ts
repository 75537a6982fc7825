import { hookInfo } from '../../../shared/domain/index.ts';
import { compareTypes } from '../compare/types.ts';
import type { ViewMaker } from './view.ts';

/** Question types of one sweep: is what one type asks for more localized than the other's? */
export const typesView: ViewMaker<'types'> = ({ study, grids }, { kind: _kind, id, ...key }) => {
  const view = compareTypes(grids.located(study, id, key));
  const title = `${view.label}: question types, ${hookInfo(key.hook).label}`;
  if (view.refusal !== null) return { title, notes: [view.refusal], figures: [], tables: [] };
  return {
    title,
    notes: [
      `Share of the positive effect in the top ${view.k} sites, over clusters of pairs; intervals 95 % BCa, differences tested by moving type labels between whole clusters, Holm-corrected over the pairs of types.`,
    ],
    figures: [
      {
        request: { kind: 'types', id, ...key },
        caption: `${view.label}. Share of the positive effect in the top ${view.k} sites by question type, with 95 % intervals over independent pairs.`,
      },
    ],
    tables: [
      {
        name: 'types',
        caption: 'Localisation by question type',
        columns: [
          'type',
          'independent pairs',
          'pairs',
          `share of top ${view.k}`,
          'low',
          'high',
          'gini',
          'participation ratio',
        ],
        rows: view.types.map((row) => [
          row.type,
          row.clusters,
          row.pairs,
          row.topShare,
          row.low,
          row.high,
          row.gini,
          row.participation,
        ]),
      },
      {
        name: 'differences',
        caption: 'Differences of the share between types',
        columns: ['type', 'minus type', 'difference', 'low', 'high', 'p', 'p, Holm', 'why there is no p'],
        rows: view.differences.map((row) => [
          row.a,
          row.b,
          row.value,
          row.low,
          row.high,
          row.p,
          row.pHolm,
          row.caveat,
        ]),
      },
    ],
  };
};
