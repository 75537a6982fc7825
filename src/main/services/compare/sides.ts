import {
  externalRef,
  METHODS,
  sameGrid,
  sweepRef,
  type EffectGrid,
  type ExternalResult,
  type MetricName,
  type ResultRef,
  type SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { hookInfo } from '../../../shared/domain/index.ts';
import type { Study } from '../../store/index.ts';
import { localisation } from '../../engine/stats/index.ts';
import { externalGrid } from '../results/grid.ts';
import type { GridKey } from '../sweeps/grid.ts';
import type { GridReader } from '../sweeps/grids.ts';
import { TOP_SITES, type SiteLocalisation } from '../sweeps/localisation.ts';
import { corruptionWords, describeSpec, methodWords, metricWords, specNames } from './settings.ts';

interface Setting {
  readonly name: string;
  readonly value: string;
}

/** What can stand on either side of a comparison: a sweep of the study, or external results. */
export interface CompareSource {
  readonly ref: ResultRef;
  readonly label: string;
  readonly name: string;
  /** Where external numbers come from; null for a sweep. */
  readonly external: string | null;
  readonly complete: boolean;
  /** The pair set of a sweep; null for external results. */
  readonly pairSet: number | null;
  readonly metrics: readonly MetricName[];
  readonly grids: readonly SweepHookGrid[];
  readonly settings: readonly Setting[];
  readonly model: string;
  readonly method: string;
  readonly corruption: string;
  grid(key: GridKey): EffectGrid;
  localisation(key: GridKey): SiteLocalisation;
}

const NOT_STATED = 'not stated';

/** Reads one side. Errors of its grids as `readGrid` and `externalGrid`. */
export function sourceOf(study: Study, grids: GridReader, ref: ResultRef): CompareSource {
  if (ref.kind === 'external') return externalSource(study.externalResults.get(ref.id));
  const sweep = study.sweeps.get(ref.id);
  const names = specNames(study, sweep);
  return {
    ref: sweepRef(sweep.id),
    label: sweep.label,
    name: sweep.name,
    external: null,
    complete: sweep.status === 'complete',
    pairSet: sweep.spec.pairSetId,
    metrics: sweep.spec.metrics,
    grids: sweep.spec.grids,
    settings: [...describeSpec(sweep, names), { name: 'Numbers from', value: 'this study' }],
    model: names.model,
    method: methodWords(sweep.spec.method),
    corruption: corruptionWords(sweep.spec),
    grid: (key) => grids.grid(study, sweep.id, key),
    localisation: (key) => grids.localisation(study, sweep.id, key),
  };
}

function externalSource(result: ExternalResult): CompareSource {
  const { direction, tables } = result;
  const metrics = [...new Set(tables.map((table) => table.metric))];
  const source = result.source === '' ? result.file : result.source;
  const method = METHODS.find((m) => m.name === result.method)?.label ?? result.method ?? NOT_STATED;
  const corruption = result.corruption ?? NOT_STATED;
  const model = result.model ?? NOT_STATED;
  return {
    ref: externalRef(result.id),
    label: result.label,
    name: result.name,
    external: source,
    complete: true,
    pairSet: null,
    metrics,
    grids: tables.filter((table, i) => tables.findIndex((other) => sameGrid(other, table)) === i),
    settings: [
      { name: 'Model', value: model },
      { name: 'Pairs', value: pairsWords(tables.map((table) => table.pairs)) },
      { name: 'Direction', value: direction },
      { name: 'Method', value: method },
      { name: 'Corruption', value: corruption },
      { name: 'Metrics', value: metrics.map(metricWords).join(', ') },
      { name: 'Hooks', value: tables.map((t) => `${t.hook} by ${t.axes.replaceAll('_', ' × ')}`).join('; ') },
      { name: 'Numbers from', value: `${result.file}: ${source}` },
    ],
    model,
    method,
    corruption,
    grid: (key) => externalGrid(result, key),
    localisation: (key) => externalLocalisation(result, key),
  };
}

function pairsWords(counts: readonly (number | null)[]): string {
  const [count = null] = counts;
  return count === null ? NOT_STATED : `${count} of the file's own`;
}

/** The index without an interval: the file has means over pairs, no pairs to draw from. */
function externalLocalisation(result: ExternalResult, key: GridKey): SiteLocalisation {
  const grid = externalGrid(result, key);
  const index = hookInfo(grid.hook).residual
    ? null
    : localisation(
        grid.recovery,
        grid.state.map((state) => state === 'open'),
        TOP_SITES,
      );
  return {
    label: result.label,
    clusters: 0,
    topShare: { k: TOP_SITES, value: index?.topShare ?? null, low: null, high: null },
    gini: index?.gini ?? null,
    participation: index?.participation ?? null,
  };
}

/** Settings of both sides row by row, in the order of A; what only one side has is not stated for the other. */
export function settingRows(
  a: readonly Setting[],
  b: readonly Setting[],
): { name: string; a: string; b: string }[] {
  const names = [...new Set([...a, ...b].map(({ name }) => name))];
  const of = (side: readonly Setting[], name: string): string =>
    side.find((row) => row.name === name)?.value ?? NOT_STATED;
  return names.map((name) => ({ name, a: of(a, name), b: of(b, name) }));
}
