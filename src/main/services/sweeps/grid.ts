import {
  gridOf,
  noRatio,
  sameGrid,
  smallestGap,
  type GridAxes,
  type MetricName,
  type Sweep,
  type SweepGrid,
  type SweepHookGrid,
} from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import {
  baseline,
  ClusterBootstrap,
  detect,
  groupByItem,
  ratioOfMeans,
  ratioOfMeansStatistic,
  type Measured,
} from '../../engine/stats/index.ts';
import type { StoredBlock, Study, SweepInput } from '../../store/index.ts';
import { cellMap, commonShape, size } from './layout.ts';

export interface GridKey extends Readonly<SweepHookGrid> {
  readonly metric: MetricName;
}

/** One hook × metric of a stored sweep with everything that statistics need. */
export interface GridData {
  readonly sweep: Sweep;
  readonly key: GridKey;
  readonly inputs: readonly SweepInput[];
  /** Axes after `pair`, large enough for every pair. */
  readonly shape: readonly number[];
  /** `measured[site][k]` of the k-th stored pair; raw is NaN where the pair has no such site. */
  readonly measured: readonly (readonly Measured[])[];
  /** Index into `inputs` of the k-th stored pair. */
  readonly pairs: readonly number[];
  readonly state: readonly SweepGrid['state'][number][];
  readonly recovery: readonly (number | null)[];
  /** |clean − corrupted| below which there is no ratio, of a pair and of the means. */
  readonly smallestGap: number;
  /** Why there is no ratio over pairs at all; null where there is. */
  readonly noRatio: string | null;
  /** Mean over pairs of the SD over a pair's draws of noise; null without noise. */
  readonly drawSd: readonly (number | null)[] | null;
  /** Indices k, grouped by cluster. */
  readonly clusters: readonly (readonly number[])[];
}

/** Reads a grid from the study. Throws UserInputError `GRID_NOT_IN_SWEEP`. */
export function readGrid(study: Study, sweep: Sweep, key: GridKey): GridData {
  const { spec } = sweep;
  const grid = spec.grids.findIndex((g) => sameGrid(g, key));
  const metric = spec.metrics.indexOf(key.metric);
  if (grid < 0 || metric < 0) {
    throw new UserInputError(
      'GRID_NOT_IN_SWEEP',
      `${sweep.label} has no ${key.hook} by ${key.axes.replaceAll('_', ' × ')}${key.window === undefined ? '' : ` in windows of ${key.window} layers`} with ${key.metric}.`,
      'Choose one of its hooks and metrics.',
    );
  }
  const inputs = study.sweeps.inputs(sweep.id);
  const blocks = study.blocks.read(sweep.id, grid, metric);
  const shape = commonShape(blocks.map((block) => block.shape));
  const maps = blocks.map((block) => cellMap(shape, block.shape));
  const sites = blocks.length === 0 ? [] : Array.from({ length: size(shape) }, (_, site) => site);
  const measured = sites.map((site) =>
    blocks.map((block, k) => ({
      raw: pick(block.raw, maps[k], site) ?? Number.NaN,
      clean: block.clean,
      corrupted: block.corrupted,
    })),
  );
  const smallest = smallestGap(key.metric, spec.epsilon);
  return {
    sweep,
    key,
    inputs,
    shape,
    measured,
    pairs: blocks.map((block) => block.pair),
    state: sites.map((site) => stateOf(blocks, maps, site)),
    recovery: measured.map((values) => ratioOfMeans(spec.direction, values, smallest)),
    smallestGap: smallest,
    noRatio: noRatio({
      metric: key.metric,
      epsilon: spec.epsilon,
      clean: meanOf(blocks.map((block) => block.clean)),
      corrupted: meanOf(blocks.map((block) => block.corrupted)),
    }),
    drawSd: blocks.some((block) => block.drawSd !== null)
      ? sites.map((site) =>
          meanOf(blocks.map((block, k) => pick(block.drawSd ?? [], maps[k], site) ?? Number.NaN)),
        )
      : null,
    clusters: groupByItem(blocks.map((block) => inputs[block.pair]?.item ?? String(block.pair))),
  };
}

function pick(values: ArrayLike<number>, map: Int32Array | undefined, site: number): number | undefined {
  const at = map?.[site] ?? -1;
  return at < 0 ? undefined : values[at];
}

/** Zero = for every pair; trivial = for every pair that is not zero; missing = no pair has a value there. */
function stateOf(
  blocks: readonly StoredBlock[],
  maps: readonly Int32Array[],
  site: number,
): SweepGrid['state'][number] {
  const kinds = blocks.flatMap((block, k) => {
    const zero = pick(block.zero, maps[k], site);
    if (zero === undefined) return [];
    if (zero === 1) return ['zero'] as const;
    if (pick(block.trivial, maps[k], site) === 1) return ['trivial'] as const;
    return Number.isNaN(pick(block.raw, maps[k], site)) ? [] : (['open'] as const);
  });
  if (kinds.length === 0) return 'missing';
  if (kinds.includes('open')) return 'open';
  return kinds.includes('trivial') ? 'trivial' : 'zero';
}

/** Values of one site, grouped by cluster. */
export function clusteredSite(data: GridData, site: number): Measured[][] {
  const values = data.measured[site] ?? [];
  return data.clusters.map((group) => group.flatMap((k) => values.slice(k, k + 1)));
}

/** Bootstrap replicates of a grid are capped at this many site × cluster products, to stay interactive. */
const BOOTSTRAP_BUDGET = 4e8;
const RESAMPLES = 10_000;
const FEWEST_RESAMPLES = 1_000;

export function resamplesFor(sites: number, clusters: number): number {
  const affordable = Math.floor(BOOTSTRAP_BUDGET / Math.max(1, sites * clusters));
  return Math.max(FEWEST_RESAMPLES, Math.min(RESAMPLES, affordable));
}

/** The grid as the heatmap shows it. Intervals once the sweep is complete and has three clusters. */
export function sweepGrid(data: GridData): SweepGrid {
  const { sweep, key, shape, measured, state, recovery } = data;
  const open = state.map((s) => s === 'open');
  const intervals = siteIntervals(data, open);
  const [first] = measured;
  const layers = shape[0] ?? 0;
  return {
    sweepId: sweep.id,
    ...gridOf(key),
    metric: key.metric,
    layers,
    columns: layers === 0 ? 0 : size(shape) / layers,
    columnLabels: columnLabels(data),
    pairsDone: data.pairs.length,
    pairsTotal: data.inputs.length,
    recovery: [...recovery],
    raw: measured.map((values) => meanOf(values.map((v) => v.raw))),
    effect: measured.map((values) => meanEffect(data, values)),
    ...(data.noRatio === null ? {} : { noRatio: data.noRatio }),
    low: intervals.map((interval) => interval?.low ?? null),
    high: intervals.map((interval) => interval?.high ?? null),
    ...(data.drawSd === null ? {} : { drawSd: [...data.drawSd] }),
    state: [...state],
    detected: detect(recovery, open).sign.map((sign) => sign !== 0),
    meanClean: meanOf((first ?? []).map((v) => v.clean)),
    meanCorrupted: meanOf((first ?? []).map((v) => v.corrupted)),
    direction: sweep.spec.direction,
  };
}

function siteIntervals(
  data: GridData,
  open: readonly boolean[],
): ({ readonly low: number; readonly high: number } | null)[] {
  const { sweep, clusters, measured } = data;
  if (sweep.status !== 'complete' || data.noRatio !== null) return measured.map(() => null);
  const counted = open.filter(Boolean).length;
  const bootstrap = new ClusterBootstrap(clusters.length, {
    seed: sweep.spec.seed,
    resamples: resamplesFor(counted, clusters.length),
  });
  return measured.map((_, site) =>
    open[site] === true
      ? bootstrap.interval(
          ratioOfMeansStatistic(sweep.spec.direction, clusteredSite(data, site), sweep.spec.epsilon),
        )
      : null,
  );
}

/** Mean change of the metric against the run that was patched into; null where no pair has the site. */
function meanEffect({ sweep }: GridData, values: readonly Measured[]): number | null {
  return meanOf(values.map((value) => value.raw - baseline(sweep.spec.direction, value)));
}

/** Mean of the finite values; null without one. */
export function meanOf(values: readonly number[]): number | null {
  const present = values.filter((value) => Number.isFinite(value));
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}

/** Token texts where all pairs share them, else position numbers; heads by number. */
export function columnLabels({ key, shape, inputs }: GridData): string[] {
  const position = (at: number): string => {
    const texts = new Set(inputs.flatMap((input) => input.labels.slice(at, at + 1)));
    const [only] = texts;
    return texts.size === 1 && only !== undefined ? only : String(at);
  };
  const span = (at: number): string => key.spans?.[at] ?? String(at);
  const count = (axis: number): number[] => Array.from({ length: shape[axis] ?? 0 }, (_, i) => i);
  const tables: Record<GridAxes, () => string[]> = {
    layer: () => [''],
    layer_position: () => count(1).map(position),
    layer_head: () => count(1).map(String),
    layer_head_position: () => count(1).flatMap((head) => count(2).map((at) => `${head} · ${position(at)}`)),
    layer_span: () => count(1).map(span),
    layer_head_span: () => count(1).flatMap((head) => count(2).map((at) => `${head} · ${span(at)}`)),
    layer_neuron: () => count(1).map((at) => String(key.neurons?.[at] ?? at)),
  };
  return shape.length === 0 ? [] : tables[key.axes]();
}
