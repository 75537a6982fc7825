import type { ComparisonView } from '../../../shared/contracts/index.ts';
import {
  hookInfo,
  sameGrid,
  sweepRef,
  type MetricName,
  type ReportSection,
  type ResultRef,
  type SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { formatCount, formatInterval, formatNumber } from '../../../shared/figures/index.ts';
import { renderFlag, renderTable } from '../../exporters/report/document.ts';
import { html, type Markup } from '../../exporters/report/html.ts';
import type { Study } from '../../store/index.ts';
import { comparisonView } from '../compare/service.ts';
import { settingRows, sourceOf, type CompareSource } from '../compare/sides.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { figureBlock, reportNumber, shareDifference } from './blocks.ts';
import { capitalised, hasRecovery, withoutRecovery, type GridEntry } from './entries.ts';
import { figureFor } from './figures.ts';

/** The two sides of a comparison: named as they are where one is external, else the section's sweeps. */
function sidesOf({ results, sweepIds }: ReportSection): readonly ResultRef[] {
  return results ?? sweepIds.map(sweepRef);
}

/** Two results: what differs in their settings, and each grid that both have. */
export function comparisonBlocks(study: Study, grids: GridReader, section: ReportSection): Markup[] {
  const [first, second] = sidesOf(section);
  if (first === undefined || second === undefined) return [];
  const [a, b] = [sourceOf(study, grids, first), sourceOf(study, grids, second)];
  const shared = a.grids.filter((g) => b.grids.some((h) => sameGrid(g, h)));
  const metric = a.metrics.find((name) => b.metrics.includes(name));
  if (metric === undefined || shared.length === 0) {
    return [html`<p>${a.label} and ${b.label} share no hook and metric, so there is nothing to compare.</p>`];
  }
  const entriesOf = (source: CompareSource): GridEntry[] =>
    shared.map((key) => ({ key, grid: source.grid({ ...key, metric }) }));
  const sides = [entriesOf(a), entriesOf(b)] as const;
  const settings = settingRows(a.settings, b.settings);
  const different = settings.filter((row) => row.a !== row.b);
  return [
    ...[a, b].flatMap((source) => externalFlag(source)),
    renderTable(
      ['Setting', a.label, b.label],
      different.map((row) => [row.name, row.a, row.b]),
      `Settings that differ; ${settings.length - different.length} are equal`,
    ),
    ...withoutRecovery(a.label, sides[0]),
    ...withoutRecovery(b.label, sides[1]),
    ...shared
      .filter((_, i) =>
        sides.every((side) => {
          const entry = side[i];
          return entry !== undefined && hasRecovery(entry.grid);
        }),
      )
      .flatMap((key) => gridBlocks(study, grids, a, b, key, metric)),
  ];
}

/** Marks a side whose numbers were not computed here. */
function externalFlag({ label, external, name }: CompareSource): Markup[] {
  return external === null ? [] : [renderFlag(`${label} (${name}) is external: ${external}.`)];
}

function gridBlocks(
  study: Study,
  grids: GridReader,
  a: CompareSource,
  b: CompareSource,
  key: SweepHookGrid,
  metric: MetricName,
): Markup[] {
  const view = comparisonView(study, grids, a.ref, b.ref, { ...key, metric });
  const figure = figureFor(study, grids, { kind: 'comparison', a: a.ref, b: b.ref, ...key, metric });
  const overlap =
    view.overlap === null
      ? ''
      : ` Of the ${view.overlap.k} strongest sites they share ${view.overlap.shared}.`;
  const agreement = `Over ${formatCount(view.n)} sites measured in both: Spearman ${formatNumber(view.spearman)}, Pearson ${formatNumber(view.pearson)}.${overlap}`;
  return [
    html`<h3>${capitalised(hookInfo(key.hook).label)}</h3>`,
    figureBlock(
      figure,
      `${a.label}, ${b.label} and their difference (${b.label} − ${a.label}). ${agreement}`,
    ),
    ...view.notes.map((note) => html`<p>${note}</p>`),
    ...detectedTable(view, a, b),
    ...(hookInfo(key.hook).residual ? [] : [localisationTable(view), shareDifference(view, a, b)]),
  ];
}

function detectedTable({ detected }: ComparisonView, a: CompareSource, b: CompareSource): Markup[] {
  if (detected.length === 0) return [];
  const where = { both: 'both', a: a.label, b: b.label };
  return [
    renderTable(
      ['Detected site', a.label, b.label, 'In'],
      detected.map((d) => [d.site, d.a, d.b, where[d.where]]),
      null,
      reportNumber,
    ),
  ];
}

function localisationTable({ localisation }: ComparisonView): Markup {
  return renderTable(
    ['Result', 'Clusters', 'Share of the strongest 5', '95 % interval', 'Gini', 'Participation ratio'],
    localisation.map((l) => [
      l.label,
      l.clusters,
      l.topShare.value,
      formatInterval(l.topShare.low, l.topShare.high),
      l.gini,
      l.participation,
    ]),
    'Localisation: how much of the positive effect the strongest sites hold',
    reportNumber,
  );
}
