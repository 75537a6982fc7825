import { smallestGap, type PatchResult } from '../../../shared/domain/index.ts';
import { csvText, type CsvValue } from '../../exporters/csv.ts';
import type { PatchBlock } from '../../runtime/api.ts';
import type { Study } from '../../store/index.ts';
import type { SweepId } from '../../../shared/domain/index.ts';
import { assembleResult } from './result.ts';

/** A stored sweep in the result format of `engram patch`. */
export function storedResult(study: Study, id: SweepId): PatchResult {
  const sweep = study.sweeps.get(id);
  const { spec, provenance } = sweep;
  const pairs = study.sweeps.inputs(id);
  const numbers = assembleResult({
    pairs,
    grids: spec.grids,
    metrics: spec.metrics,
    direction: spec.direction,
    smallestGap: (metric) => smallestGap(metric, spec.epsilon),
    blocks: storedBlocks(study, id),
  });
  return {
    engine: provenance?.engine ?? '',
    model: study.models.get(spec.modelId).name,
    provider: provenance?.provider ?? '',
    direction: spec.direction,
    method: spec.method,
    corruption: spec.corruption,
    bos: spec.bos === 'yes',
    timing: { load_ms: 0, sweep_ms: 0, peak_rss_mb: 0 },
    ...numbers,
  };
}

function storedBlocks(study: Study, id: SweepId): PatchBlock[] {
  const { spec } = study.sweeps.get(id);
  return spec.grids.flatMap((_, grid) => {
    const perMetric = spec.metrics.map((_metric, metric) => study.blocks.read(id, grid, metric));
    return (perMetric[0] ?? []).map((block, k) => {
      const all = perMetric.flatMap((blocks) => blocks.slice(k, k + 1));
      return {
        grid,
        pair: block.pair,
        draw: 0,
        shape: block.shape,
        raw: all.map((b) => b.raw),
        clean: all.map((b) => b.clean),
        corrupted: all.map((b) => b.corrupted),
        zero: block.zero,
        trivial: block.trivial,
      };
    });
  });
}

export const EFFECT_COLUMNS = [
  'hook',
  'metric',
  'pair',
  'layer',
  'head',
  'position',
  'span',
  'neuron',
  'at',
  'from',
  'raw',
  'normalized',
  'clean',
  'corrupted',
  'structural_zero',
  'trivial',
  'no_ratio',
  'window',
] as const;

type EffectRow = Record<(typeof EFFECT_COLUMNS)[number], CsvValue>;

/**
 * One row per effect that exists, in the order hook, metric, pair, layer, head, position, span, neuron;
 * `at` and `from` are the places patched and pasted where a grid names them.
 */
export function effectRows(result: PatchResult): EffectRow[] {
  const base = new Map(result.baselines.map((b) => [`${b.metric}\n${b.pair}`, b]));
  return result.effects.flatMap((effect) =>
    effect.raw.flatMap((raw, flat) => {
      if (raw === null) return [];
      const at = coordinates(flat, effect.shape);
      const index = (axis: (typeof effect.axes)[number]): number | null => {
        const axisIndex = effect.axes.indexOf(axis);
        return axisIndex < 0 ? null : (at[axisIndex] ?? null);
      };
      const pair = result.pairs[index('pair') ?? -1]?.id ?? '';
      const baseline = base.get(`${effect.metric}\n${pair}`);
      return [
        {
          hook: effect.hook,
          metric: effect.metric,
          pair,
          // Windows are named by their layer in the middle.
          layer: index('layer') ?? index('window'),
          head: index('head'),
          position: index('position'),
          span: named(effect.spans, index('span')),
          neuron: named(effect.neurons, index('neuron')),
          at: effect.to ?? null,
          from: effect.from ?? null,
          raw,
          normalized: effect.normalized[flat] ?? null,
          clean: baseline?.clean ?? null,
          corrupted: baseline?.corrupted ?? null,
          structural_zero: effect.structural_zero?.[flat] ?? false,
          trivial: effect.trivial ?? effect.trivial_sites?.[flat] ?? false,
          window: effect.window ?? null,
          no_ratio: baseline?.small_gap === true ? `gap below ${effect.epsilon ?? 0}` : null,
        },
      ];
    }),
  );
}

/** What an index stands for where the axis has names. */
function named<T>(names: readonly T[] | undefined, index: number | null): T | number | null {
  return index === null ? null : (names?.[index] ?? index);
}

function coordinates(flat: number, shape: readonly number[]): number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((extent) => {
      const at = rest % extent;
      rest = (rest - at) / extent;
      return at;
    })
    .toReversed();
}

/** How rows are written, by format; shared by all tables. */
export const TABLE_FORMATS = {
  csv: {
    mime: 'text/csv',
    write: (columns: readonly string[], rows: readonly Record<string, CsvValue>[]): string =>
      csvText(
        columns,
        rows.map((row) => columns.map((column) => row[column] ?? null)),
      ),
  },
  jsonl: {
    mime: 'application/jsonl',
    write: (_columns: readonly string[], rows: readonly Record<string, CsvValue>[]): string =>
      rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  },
} as const;

export type TableFormat = keyof typeof TABLE_FORMATS;

export function effectTable(result: PatchResult, format: TableFormat): string {
  return TABLE_FORMATS[format].write(EFFECT_COLUMNS, effectRows(result));
}
