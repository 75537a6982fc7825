import {
  noRatio,
  PatchResult,
  type ExternalTable,
  type GridAxes,
  type PatchEffects,
} from '../../../shared/domain/index.ts';
import {
  columnNames,
  checked,
  fault,
  hookOf,
  metricOf,
  settled,
  type ResultFile,
  type ResultFormat,
  type SiteState,
} from './format.ts';

const GRIDS: Readonly<Record<string, GridAxes>> = {
  layer: 'layer',
  'layer position': 'layer_position',
  'layer head': 'layer_head',
  'layer head position': 'layer_head_position',
  'window position': 'layer_position',
  'window head': 'layer_head',
  window: 'layer',
};

/** Reads what `engram patch --out` and `engram sweep --json` write. */
export const patchResultFormat: ResultFormat = {
  name: 'patch-result',
  matches: ({ json }) =>
    typeof json === 'object' && json !== null && 'effects' in json && 'baselines' in json,
  read: (file) => {
    const result = checked(PatchResult, file.json, {
      code: 'RESULTS_PATCH_MALFORMED',
      file: file.name,
      place: (path) => path || 'the file',
      next: 'Write it again with `engram patch --out FILE`, or correct it there.',
    });
    const remarks: string[] = [];
    const tables = result.effects.flatMap((entry, i) => readEntry(file, result, entry, i, remarks));
    if (tables.length === 0) {
      throw fault(
        'RESULTS_EMPTY',
        file.name,
        'effects',
        'no entry runs over layers with positions or heads',
        'Patch with --positions each or all, without --joint and --window.',
      );
    }
    const source = `engram patch, ${result.engine} on ${result.provider}`;
    return Promise.resolve({
      format: 'patch-result' as const,
      source,
      note: '',
      model: result.model,
      method: result.method,
      corruption: result.corruption,
      direction: settled(
        file.name,
        'direction',
        result.direction,
        file.given.direction,
        result.direction,
        remarks,
      ),
      tables,
      remarks,
    });
  },
};

function readEntry(
  file: ResultFile,
  result: PatchResult,
  entry: PatchEffects,
  index: number,
  remarks: string[],
): ExternalTable[] {
  const place = `effects.${index}`;
  const over = entry.axes.filter((axis) => axis !== 'pair' && axis !== 'draw');
  const axes = GRIDS[over.join(' ')];
  const unnamed = over.includes('window') && entry.window === undefined;
  const skip =
    unnamed ||
    axes === undefined ||
    entry.sites !== undefined ||
    entry.from !== undefined ||
    entry.to !== undefined;
  if (skip || entry.axes[0] !== 'pair') {
    remarks.push(`${entry.hook} over ${over.join(' × ') || 'joint sites'} is left out: no heatmap shows it.`);
    return [];
  }
  const sizes = entry.shape.reduce((product, n) => product * n, 1);
  if (sizes !== entry.raw.length || entry.shape.length !== entry.axes.length) {
    const what = `the shape ${entry.shape.join(' × ')} needs ${sizes} values, there are ${entry.raw.length}`;
    throw fault(
      'RESULTS_PATCH_SHAPE',
      file.name,
      `${place}.raw`,
      what,
      'Write it again with `engram patch`.',
    );
  }
  const summary = result.summary.find(
    (s) =>
      s.hook === entry.hook &&
      s.metric === entry.metric &&
      s.window === entry.window &&
      s.axes.join(' ') === over.join(' '),
  );
  const sites = entry.shape.slice(entry.shape.length - over.length).reduce((product, n) => product * n, 1);
  if (summary?.recovery.length !== sites) {
    const what = `${entry.hook} with ${entry.metric} has no entry of ${sites} sites there`;
    throw fault('RESULTS_PATCH_SHAPE', file.name, 'summary', what, 'Write it again with `engram patch`.');
  }
  const metric = metricOf(file.name, `${place}.metric`, entry.metric);
  const baselines = result.baselines.filter((b) => b.metric === entry.metric);
  const clean = meanOf(baselines.map((b) => b.clean));
  const corrupted = meanOf(baselines.map((b) => b.corrupted));
  const why = noRatio({ metric, epsilon: summary.epsilon ?? 0, clean, corrupted });
  const layers = summary.shape[0] ?? 1;
  const runs = sites === 0 ? 0 : entry.raw.length / sites;
  const values = Array.from({ length: sites }, (_, site) =>
    Array.from({ length: runs }, (_run, run) => entry.raw[run * sites + site] ?? null),
  );
  const bases = basesOf(result, entry, runs);
  return [
    {
      name: `${entry.hook} ${entry.metric}${entry.window === undefined ? '' : ` window ${entry.window}`}`,
      ...(entry.window === undefined ? {} : { window: entry.window }),
      hook: hookOf(file.name, `${place}.hook`, entry.hook),
      axes,
      metric,
      layers,
      columns: sites / layers,
      columnLabels: columnNames(axes, sites / layers, summary.shape.at(-1) ?? 1),
      recovery: why === null ? summary.recovery : summary.recovery.map(() => null),
      raw: values.map(meanOf),
      effect: values.map((runsOfSite) =>
        meanOf(runsOfSite.map((raw, run) => (raw === null ? null : raw - (bases[run] ?? Number.NaN)))),
      ),
      ...(why === null ? {} : { noRatio: why }),
      state: values.map((runsOfSite, site) => stateOf(entry, runsOfSite, site, sites)),
      meanClean: clean,
      meanCorrupted: corrupted,
      pairs: result.pairs.length,
    },
  ];
}

/** The metric of the run that was patched into, run by run: pair by pair, draw by draw. */
function basesOf(result: PatchResult, entry: PatchEffects, runs: number): number[] {
  const draws = entry.axes[1] === 'draw' ? (entry.shape[1] ?? 1) : 1;
  return Array.from({ length: runs }, (_, run) => {
    const pair = result.pairs[Math.floor(run / draws)]?.id;
    const base = result.baselines.find(
      (b) => b.metric === entry.metric && b.pair === pair && (b.draw ?? 0) === run % draws,
    );
    if (base === undefined) return Number.NaN;
    return result.direction === 'denoising' ? base.corrupted : base.clean;
  });
}

function stateOf(
  entry: PatchEffects,
  raw: readonly (number | null)[],
  site: number,
  sites: number,
): SiteState {
  const kinds = raw.flatMap((value, run) => {
    if (value === null) return [];
    const at = run * sites + site;
    if (entry.structural_zero?.[at] === true) return ['zero' as const];
    return [
      entry.trivial === true || entry.trivial_sites?.[at] === true ? ('trivial' as const) : ('open' as const),
    ];
  });
  if (kinds.length === 0) return 'missing';
  if (kinds.includes('open')) return 'open';
  return kinds.includes('trivial') ? 'trivial' : 'zero';
}

function meanOf(values: readonly (number | null)[]): number | null {
  const present = values.filter((value): value is number => value !== null && Number.isFinite(value));
  return present.length === 0 ? null : present.reduce((sum, value) => sum + value, 0) / present.length;
}
