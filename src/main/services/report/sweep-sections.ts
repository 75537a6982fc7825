import type { SweepHookGrid, MetricName, Sweep } from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import { renderTable } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import { describeSpec, specNames } from '../compare/settings.ts';
import type { GridReader } from '../sweeps/grids.ts';
import {
  changeCaption,
  figureBlock,
  gridCaption,
  strongestEffects,
  strongestSites,
} from './blocks.ts';
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
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        figureBlock(
          figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric }),
          changeCaption(sweep, key, grid),
        ),
        strongestEffects(grid),
      ]),
    ...entries
      .filter(({ grid }) => hasRecovery(grid))
      .flatMap(({ key, grid }) => [
        html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
        figureBlock(
          figureFor(study, grids, { kind: 'sweep', id: sweep.id, ...key, metric }),
          gridCaption(sweep, key, grid),
        ),
        strongestSites(grid),
      ]),
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
