import type { LayerTest } from '../../../shared/contracts/index.ts';
import {
  baseline,
  ClusterBootstrap,
  cohenDz,
  friedman,
  friedmanRefusal,
  intervalRefusal,
  meanStatistic,
  pairwiseComparisons,
} from '../../engine/stats/index.ts';
import { columnLabels, meanOf, type GridData } from './grid.ts';

export interface LayerTestOptions {
  /** This column alone. */
  readonly column?: number | undefined;
  /** Whether every two layers are compared. */
  readonly twoByTwo?: boolean;
}

/**
 * Whether layers differ on one grid: Friedman's test over layers blocked by cluster of pairs, with Kendall's W, the
 * layers' mean effects, and every two layers compared with Holm's correction. Structural zeros and trivial sites count
 * nowhere: within a layer effects are averaged over the columns that are measured in every tested layer (or one
 * column). Refused, with the reason, for incomplete sweeps and where pairs or layers are too few.
 */
export function layerTest(data: GridData, { column, twoByTwo = true }: LayerTestOptions = {}): LayerTest {
  const { layers, columns } = testedSites(data, column);
  const all = Array.from({ length: data.shape[0] ?? 0 }, (_, layer) => layer);
  const leftOut = all.filter((layer) => !layers.includes(layer));
  const names = columnLabels(data);
  const empty: LayerTest = {
    test: null,
    columns: columns.map((at) => names[at] ?? String(at)),
    layers: [],
    leftOut,
    pairs: [],
    refusal: null,
    caveats: [],
  };
  if (data.sweep.status !== 'complete')
    return { ...empty, refusal: 'The layers are compared when the sweep is complete.' };
  if (columns.length === 0)
    return {
      ...empty,
      refusal: 'No site is measured in several layers: all are fixed by construction here.',
    };
  const blocks = blocksOf(data, layers, columns);
  const refusal = friedmanRefusal(blocks.length, layers.length);
  const { seed } = data.sweep.spec;
  const bootstrap = new ClusterBootstrap(blocks.length, { seed });
  const rows = layers.map((layer, i) => {
    const values = blocks.map((block) => block[i] ?? Number.NaN);
    const interval = bootstrap.interval(meanStatistic(values.map((value) => [value])));
    return {
      layer,
      effect: meanOf(values) ?? 0,
      low: interval?.low ?? null,
      high: interval?.high ?? null,
      effectSize: cohenDz(values),
    };
  });
  const result = refusal === null ? friedman(blocks, { seed }) : null;
  const after =
    refusal === null && twoByTwo ? pairwiseComparisons(blocks, { seed }) : { pairs: [], caveat: null };
  return {
    ...empty,
    layers: rows,
    test:
      result === null
        ? null
        : {
            statistic: result.statistic,
            degrees: result.degrees,
            p: result.p,
            w: result.w,
            clusters: result.blocks,
            method: result.method,
          },
    pairs: after.pairs
      .map(({ a, b, ...pair }) => ({ a: layers[a] ?? a, b: layers[b] ?? b, ...pair }))
      .sort((x, y) => (x.p ?? 1) - (y.p ?? 1) || Math.abs(y.difference) - Math.abs(x.difference)),
    refusal:
      refusal ??
      (result === null ? 'Within every pair all layers have the same effect: there is no order.' : null),
    caveats: [intervalRefusal(blocks.length), after.caveat].filter((text) => text !== null),
  };
}

/** Layers and columns without gaps between them: of the nested choices the one with the most sites. */
function testedSites(
  { shape, state }: GridData,
  column: number | undefined,
): { readonly layers: number[]; readonly columns: number[] } {
  const height = shape[0] ?? 0;
  const width = height === 0 ? 0 : state.length / height;
  const wanted = Array.from({ length: width }, (_, at) => at).filter(
    (at) => column === undefined || at === column,
  );
  const open = (layer: number): number[] => wanted.filter((at) => state[layer * width + at] === 'open');
  const ordered = Array.from({ length: height }, (_, layer) => ({ layer, columns: open(layer) }))
    .filter(({ columns }) => columns.length > 0)
    .sort((a, b) => b.columns.length - a.columns.length || a.layer - b.layer);
  let best: { layers: number[]; columns: number[] } = { layers: [], columns: [] };
  let common = wanted;
  ordered.forEach(({ columns }, i) => {
    const own = new Set(columns);
    common = common.filter((at) => own.has(at));
    const size = (i + 1) * common.length;
    if (size <= best.layers.length * best.columns.length && i > 0) return;
    best = {
      layers: ordered
        .slice(0, i + 1)
        .map(({ layer }) => layer)
        .sort((a, b) => a - b),
      columns: common,
    };
  });
  return best;
}

/** Per cluster and layer the mean effect over pairs and columns; clusters without a value in a layer are left out. */
function blocksOf(data: GridData, layers: readonly number[], columns: readonly number[]): number[][] {
  const { clusters, measured, shape, sweep } = data;
  const width = measured.length / (shape[0] ?? 1);
  return clusters.flatMap((members) => {
    const block = layers.map((layer) =>
      meanOf(
        columns.flatMap((at) =>
          members.flatMap((k) => {
            const value = measured[layer * width + at]?.[k];
            return value === undefined ? [] : [value.raw - baseline(sweep.spec.direction, value)];
          }),
        ),
      ),
    );
    return block.every((value) => value !== null) ? [block] : [];
  });
}
