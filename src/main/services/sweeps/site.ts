import { hookInfo, type GridAxes, type SiteDetail } from '../../../shared/domain/index.ts';
import { UserInputError } from '../../../shared/errors/index.ts';
import {
  baseline,
  bcaInterval,
  cohenDz,
  holm,
  pairRecovery,
  ratioOfMeansStatistic,
  signFlipTest,
  type SignFlipResult,
} from '../../engine/stats/index.ts';
import { formatNumber, layerName } from '../../../shared/figures/index.ts';
import { clusteredSite, meanOf, type GridData } from './grid.ts';

/** One site over its pairs: recovery with its interval, and the sign-flip test corrected over the grid. */
export function siteDetail(data: GridData, layer: number, column: number): SiteDetail {
  const { sweep, key, inputs, measured, state, recovery, pairs, clusters } = data;
  const { direction, epsilon, seed } = sweep.spec;
  const undefinedRatio = data.noRatio;
  const columns = measured.length / (data.shape[0] ?? 1);
  const site = layer * columns + column;
  const values = measured[site];
  if (values === undefined || column >= columns) {
    throw new UserInputError(
      'SITE_UNKNOWN',
      `The grid has no layer ${layer}, column ${column}.`,
      'Choose a cell.',
    );
  }
  const complete = sweep.status === 'complete';
  const interval =
    complete && undefinedRatio === null
      ? bcaInterval(ratioOfMeansStatistic(direction, clusteredSite(data, site), epsilon), { seed })
      : null;
  const test = complete && state[site] === 'open' ? testSites(data).get(site) : undefined;
  return {
    sweepId: sweep.id,
    hook: key.hook,
    ...(key.window === undefined ? {} : { window: key.window }),
    metric: key.metric,
    layer,
    column,
    title: `${hookInfo(key.hook).label}, ${layerName({ window: key.window, layers: data.shape[0] ?? 0 }, layer).toLowerCase()}${key.axes === 'layer' ? '' : `, ${columnTitle(data, column)}`}`,
    ...placeOf(data, column),
    recovery: recovery[site] ?? null,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    n: values.filter((v) => Number.isFinite(v.raw)).length,
    clusters: clusters.filter((own) => own.some((k) => Number.isFinite(values[k]?.raw))).length,
    meanPatched: meanOf(values.map((v) => v.raw)),
    meanClean: meanOf(values.map((v) => v.clean)),
    meanCorrupted: meanOf(values.map((v) => v.corrupted)),
    ...(undefinedRatio === null ? {} : { noRatio: undefinedRatio }),
    p: test?.p ?? null,
    pHolm: test?.pHolm ?? null,
    caveat: test === undefined ? caveatOf(state[site], complete) : caveatOfTest(test),
    trivial: state[site] === 'trivial',
    pairs: values.map((value, k) => ({
      id: inputs[pairs[k] ?? -1]?.id ?? String(k),
      recovery: pairRecovery(direction, value, data.smallestGap),
      raw: Number.isFinite(value.raw) ? value.raw : null,
      effect: Number.isFinite(value.raw) ? value.raw - baseline(direction, value) : null,
    })),
  };
}

type Tested = SignFlipResult & { readonly pHolm: number | null; readonly effectSize: number | null };

/** Sign-flip tests of every open site over cluster means of the effect, Holm-adjusted over them. */
function testSites(data: GridData): Map<number, Tested> {
  const { sweep, measured, state } = data;
  const { direction, seed } = sweep.spec;
  const open = measured.flatMap((_, site) => (state[site] === 'open' ? [site] : []));
  const results = open.map((site) => {
    const effects = clusteredSite(data, site).flatMap((group) => {
      const mean = meanOf(group.map((v) => v.raw - baseline(direction, v)));
      return mean === null ? [] : [mean];
    });
    return { ...signFlipTest(effects, { tests: open.length, seed }), effectSize: cohenDz(effects) };
  });
  const tested = results.flatMap((result, i) => (result.p === null ? [] : [{ i, p: result.p }]));
  const adjusted = new Map(holm(tested.map(({ p }) => p)).map((p, rank) => [tested[rank]?.i, p]));
  return new Map(
    open.flatMap((site, i) => {
      const result = results[i];
      return result === undefined ? [] : [[site, { ...result, pHolm: adjusted.get(i) ?? null }]];
    }),
  );
}

const STATE_CAVEATS: Readonly<Record<GridData['state'][number], string>> = {
  zero: 'Source and target are equal here by construction: the effect is exactly zero and is not tested.',
  trivial:
    'Patching here restores the source run by construction: the effect says nothing and is not tested.',
  missing: 'No pair has this site, or it was not chosen.',
  open: 'Tests and intervals are given when the sweep is complete.',
};

function caveatOf(state: GridData['state'][number] | undefined, complete: boolean): string | null {
  return state === undefined || (state === 'open' && complete) ? null : STATE_CAVEATS[state];
}

function caveatOfTest(test: Tested): string {
  const size =
    test.effectSize === null ? '' : ` Effect size d = ${formatNumber(test.effectSize)} over clusters.`;
  const limit = `With ${test.n} clusters the smallest possible p is ${test.smallest.toPrecision(2)}.`;
  return `${test.caveat ?? limit}${size}`;
}

type Place = Pick<SiteDetail, 'head' | 'position' | 'span' | 'neuron'>;

/** Head, position, span or neuron of a column. */
function placeOf({ key, shape }: GridData, column: number): Place {
  const positions = shape[2] ?? 1;
  const none = { head: null, position: null };
  const span = (at: number): Pick<Place, 'span'> => ({ span: key.spans?.[at] ?? String(at) });
  const places: Readonly<Record<GridAxes, Place>> = {
    layer: { head: null, position: null },
    layer_position: { head: null, position: column },
    layer_head: { head: column, position: null },
    layer_head_position: { head: Math.floor(column / positions), position: column % positions },
    layer_span: { ...none, ...span(column) },
    layer_head_span: { ...none, head: Math.floor(column / positions), ...span(column % positions) },
    layer_neuron: { ...none, neuron: key.neurons?.[column] ?? column },
  };
  return places[key.axes];
}

function columnTitle(data: GridData, column: number): string {
  const { inputs } = data;
  const { head, position, span, neuron } = placeOf(data, column);
  const token = inputs.length === 1 && position !== null ? inputs[0]?.labels[position] : undefined;
  const parts = [
    head === null ? null : `head ${head}`,
    span === undefined ? null : `span “${span}”`,
    neuron === undefined ? null : `neuron ${neuron}`,
    position === null
      ? null
      : token === undefined
        ? `position ${position}`
        : `position ${position} “${token}”`,
  ];
  return parts.filter((part) => part !== null).join(', ');
}
