import type { LayerTest } from '../../../shared/contracts/index.ts';
import type { SweepHookGrid, MetricName, Sweep } from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import { formatNumber } from '../../../shared/figures/index.ts';
import { renderTable } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import { describeSpec, specNames } from '../compare/settings.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { layerTest } from '../sweeps/layers.ts';
import { gridWords } from '../sweeps/words.ts';
import { changeCaption, figureBlock, gridCaption, strongestEffects, strongestSites } from './blocks.ts';
import { capitalised, hasRecovery, withoutRecovery, type GridEntry } from './entries.ts';
import { figureFor } from './figures.ts';

/** A sweep's settings, and each of its grids as heatmap, numbers and strongest sites. */
export function sweepBlocks(study: Study, grids: GridReader, sweep: Sweep): Markup[] {
  const metric = sweep.spec.metrics[0];
  if (metric === undefined) return [];
  const entries = gridEntries(grids, study, sweep, sweep.spec.grids, metric);
  return [
    renderTable(
      ['Setting', 'Value'],
      describeSpec(sweep, specNames(study, sweep)).map(({ name, value }) => [name, value]),
    ),
    ...withoutRecovery(sweep.label, entries),
    ...entries
      .filter(({ grid }) => grid.noRatio !== undefined)
      .flatMap(({ key, grid }) => [
        heading(key),
        ...picture(study, grids, sweep, { key, grid }, changeCaption),
        strongestEffects(grid),
      ]),
    ...entries
      .filter(({ grid }) => hasRecovery(grid))
      .flatMap(({ key, grid }) => [
        heading(key),
        ...picture(study, grids, sweep, { key, grid }, gridCaption),
        strongestSites(grid),
        ...layerSentence(layerTest(grids.data(study, sweep.id, { ...key, metric }), { twoByTwo: false })),
      ]),
  ];
}

const heading = (key: SweepHookGrid): Markup =>
  html`<h3>${capitalised(hookInfo(key.hook).label)}${gridWords(key)}</h3>`;

/** The heatmap; none of single neurons, which have no order and are thousands: their strongest are listed. */
function picture(
  study: Study,
  grids: GridReader,
  sweep: Sweep,
  { key, grid }: GridEntry,
  caption: typeof gridCaption,
): Markup[] {
  if (key.axes === 'layer_neuron') return [];
  const figure = figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric: grid.metric });
  return [figureBlock(figure, caption(sweep, key, grid))];
}

/** Whether the layers differ, in one sentence; nothing of grids with too few layers of their own. */
function layerSentence({ test, layers, columns, refusal }: LayerTest): Markup[] {
  if (test === null) return refusal === null || layers.length < 3 ? [] : [html`<p>${refusal}</p>`];
  const { w, statistic, degrees, p, clusters, method } = test;
  const how = method === 'permutation' ? 'by random orders within each cluster' : 'from the chi-square tail';
  return [
    html`<p>
      Layers, effects averaged over ${columns.length} ${columns.length === 1 ? 'column' : 'columns'} that each
      of ${layers.length} has: Kendall’s W = ${formatNumber(w)}, Friedman χ²(${degrees}) =
      ${formatNumber(statistic, 1)}, p ${p < 0.001 ? '< 0.001' : `= ${formatNumber(p, 3)}`} ${how},
      ${clusters} clusters of pairs.
    </p>`,
  ];
}

function gridEntries(
  grids: GridReader,
  study: Study,
  sweep: Sweep,
  keys: readonly SweepHookGrid[],
  metric: MetricName,
): GridEntry[] {
  return keys.map((key) => ({ key, grid: grids.grid(study, sweep.id, { ...key, metric }) }));
}
