import { hookInfo } from '../../../shared/domain/index.ts';
import { toTable } from '../../../shared/figures/index.ts';
import { metricWords } from '../compare/settings.ts';
import { severalGrids } from '../compare/several.ts';
import type { ViewMaker } from './view.ts';

/** Three and more results site by site, on one scale. */
export const severalView: ViewMaker<'several'> = ({ study, grids }, { kind: _kind, refs, ...key }) => {
  const { columns, spearman } = severalGrids(study, grids, refs, key);
  const labels = columns.map(({ label }) => label);
  const sites = toTable({
    kind: 'multiples',
    panels: columns.map(({ label, grid }) => ({ title: label, grid })),
  });
  return {
    title: `${labels.join(', ')}: ${hookInfo(key.hook).label}, ${metricWords(key.metric)}`,
    notes: [
      ...columns.flatMap(({ label, external }) =>
        external === null ? [] : [`${label} is external: ${external}.`],
      ),
      ...columns.flatMap(({ label, grid }) =>
        grid.noRatio === undefined ? [] : [`${label}: ${grid.noRatio}`],
      ),
    ],
    figures: [
      {
        request: { kind: 'several', refs, ...key },
        caption: `Recovery of the ${metricWords(key.metric)} after patching the ${hookInfo(key.hook).label}: ${columns.map(({ label, name, model }) => `${label} ${name} (${model})`).join('; ')}. One colour scale for all.`,
      },
    ],
    tables: [
      {
        name: 'agreement',
        caption: 'Rank correlation (Spearman) over sites open in both',
        columns: ['result', ...labels],
        rows: labels.map((label, i) => [label, ...(spearman[i] ?? [])]),
      },
      {
        name: 'sites',
        caption: 'Recovery site by site',
        columns: [...sites.columns],
        rows: sites.rows.map((row) => [...row]),
      },
    ],
  };
};
