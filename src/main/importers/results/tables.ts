import { z } from 'zod';
import {
  Direction,
  hookInfo,
  type ExternalTable,
  type GridAxes,
  type HookName,
} from '../../../shared/domain/index.ts';
import {
  columnNames,
  checked,
  fault,
  hookOf,
  isTrivial,
  metricOf,
  settled,
  type ResultFile,
  type ResultFormat,
  type SiteState,
} from './format.ts';

const Table = z.object({
  shape: z.array(z.number().int().nonnegative()).optional(),
  axes: z.array(z.string()).optional(),
  values: z.array(z.union([z.array(z.number().nullable()), z.number().nullable()])).min(1),
  /** Where the table's name is not the hook's. */
  hook: z.string().optional(),
  metric: z.string().optional(),
  /** Number of heads, where rows run over layers and heads together. */
  heads: z.number().int().positive().optional(),
  /** Names of the columns. */
  labels: z.array(z.string()).optional(),
});

/** `{"source": …, "tables": {"z": {"axes": ["Layer", "Head"], "values": [[…], …]}}}`; everything but tables may be absent. */
const TableFile = z.object({
  source: z.string().default(''),
  note: z.string().default(''),
  model: z.string().nullable().default(null),
  method: z.string().nullable().default(null),
  corruption: z.string().nullable().default(null),
  direction: Direction.nullable().default(null),
  metric: z.string().nullable().default(null),
  pairs: z.number().int().nonnegative().nullable().default(null),
  tables: z.record(z.string(), Table),
});
type TableFile = z.infer<typeof TableFile>;

/** What the words of `axes` mean. */
const AXIS_WORDS: Readonly<Record<string, 'layer' | 'position' | 'head' | 'layer-head'>> = {
  layer: 'layer',
  position: 'position',
  pos: 'position',
  token: 'position',
  head: 'head',
  'head label': 'layer-head',
  'layer head': 'layer-head',
};

const GRIDS: Readonly<Record<string, GridAxes>> = {
  layer: 'layer',
  'layer position': 'layer_position',
  'layer head': 'layer_head',
  'layer-head position': 'layer_head_position',
};

/** Reads tables of effects by hook, as notebooks of patching save them. */
export const tablesFormat: ResultFormat = {
  name: 'tables',
  matches: ({ json }) => typeof json === 'object' && json !== null && 'tables' in json,
  read: (file) => {
    const content = checked(TableFile, file.json, {
      code: 'RESULTS_TABLES_MALFORMED',
      file: file.name,
      place: (path) => path || 'the file',
      next: 'Each table needs "values", rows of numbers (null where there is none); see docs/cli.md.',
    });
    const remarks: string[] = [];
    const { given, name } = file;
    const direction = settled(name, 'direction', content.direction, given.direction, 'denoising', remarks);
    const said = content.metric === null ? null : metricOf(name, 'metric', content.metric);
    const own = Object.values(content.tables).every((table) => table.metric !== undefined);
    const metric = own ? 'logit_diff' : settled(name, 'metric', said, given.metric, 'logit_diff', remarks);
    const tables = Object.entries(content.tables).map(([key, table]) =>
      readTable(file, content, key, table, metric, remarks),
    );
    if (tables.length === 0) {
      throw fault('RESULTS_EMPTY', name, 'tables', 'there is none', 'Choose a file with at least one table.');
    }
    return Promise.resolve({
      format: 'tables' as const,
      source: content.source,
      note: content.note,
      model: content.model ?? given.model,
      method: content.method,
      corruption: content.corruption,
      direction,
      tables,
      remarks,
    });
  },
};

function readTable(
  file: ResultFile,
  content: TableFile,
  key: string,
  table: z.infer<typeof Table>,
  metric: ExternalTable['metric'],
  remarks: string[],
): ExternalTable {
  const place = `tables.${key}`;
  const rows = table.values.map((row) => (Array.isArray(row) ? row : [row]));
  const width = rows[0]?.length ?? 0;
  checkShape(file.name, place, rows, table.shape);
  const hook = hookOf(file.name, place, table.hook ?? key);
  const axes = axesOf(file.name, place, hook, table.axes, width);
  const layers =
    axes === 'layer_head_position' ? layersOf(file.name, place, table, rows.length, content) : rows.length;
  const recovery = rows.flat();
  const columns = recovery.length / layers;
  const grid = { hook, axes, layers, columns };
  const state = statesOf(grid, recovery);
  const zero = state.filter((s) => s === 'zero').length;
  if (zero > 0) {
    remarks.push(`${key}: ${zero} sites are exactly 0 in every layer and count as zero by construction.`);
  }
  if (table.labels !== undefined && table.labels.length !== width) {
    throw fault(
      'RESULTS_TABLE_SHAPE',
      file.name,
      `${place}.labels`,
      `there are ${table.labels.length} labels for ${width} columns`,
      'Give one label a column, or none.',
    );
  }
  return {
    ...grid,
    name: key,
    metric: table.metric === undefined ? metric : metricOf(file.name, `${place}.metric`, table.metric),
    columnLabels:
      axes === 'layer_head_position'
        ? columnNames(axes, columns, width)
        : (table.labels ?? columnNames(axes, columns, width)),
    recovery,
    raw: recovery.map(() => null),
    state,
    meanClean: null,
    meanCorrupted: null,
    pairs: content.pairs,
  };
}

/** Rows of one length, and the shape that the table itself states. @throws FormatError RESULTS_TABLE_SHAPE. */
function checkShape(
  file: string,
  place: string,
  rows: readonly (readonly (number | null)[])[],
  shape: readonly number[] | undefined,
): void {
  const width = rows[0]?.length ?? 0;
  const next = 'Write a row for every layer, with a number or null for every column.';
  const ragged = rows.findIndex((row) => row.length !== width || width === 0);
  if (ragged >= 0) {
    const what = `row ${ragged} has ${rows[ragged]?.length ?? 0} values, row 0 has ${width}`;
    throw fault('RESULTS_TABLE_SHAPE', file, `${place}.values`, what, next);
  }
  const [high = rows.length, wide = width] = shape ?? [];
  if (high !== rows.length || wide !== width) {
    const what = `the shape says ${high} × ${wide}, the values are ${rows.length} × ${width}`;
    throw fault('RESULTS_TABLE_SHAPE', file, place, what, next);
  }
}

/** @throws FormatError RESULTS_AXES_UNKNOWN for axes that no heatmap here has. */
function axesOf(
  file: string,
  place: string,
  hook: HookName,
  axes: readonly string[] | undefined,
  width: number,
): GridAxes {
  if (axes === undefined)
    return width === 1 ? 'layer' : hookInfo(hook).heads ? 'layer_head' : 'layer_position';
  const words = axes.map((axis) => AXIS_WORDS[axis.trim().toLowerCase().replaceAll('_', ' ')] ?? '?');
  const grid = GRIDS[words.join(' ')];
  const heads = grid === 'layer_head' || grid === 'layer_head_position';
  if (grid !== undefined && (!heads || hookInfo(hook).heads)) return grid;
  const known = 'Layer; Layer and Position; Layer and Head; Head label (layer by layer) and Position';
  throw fault(
    'RESULTS_AXES_UNKNOWN',
    file,
    `${place}.axes`,
    grid === undefined ? `“${axes.join(' × ')}” is not known` : `${hook} has no heads`,
    `Axes can be: ${known}.`,
  );
}

/** Layers of rows that run over layers and heads. @throws FormatError RESULTS_HEADS_UNKNOWN. */
function layersOf(
  file: string,
  place: string,
  { heads }: z.infer<typeof Table>,
  rows: number,
  { tables }: TableFile,
): number {
  const stated = heads === undefined ? undefined : rows / heads;
  const beside = Object.values(tables).find(
    ({ axes, values }) =>
      axes?.map((axis) => AXIS_WORDS[axis.trim().toLowerCase()]).join(' ') === 'layer head' &&
      Array.isArray(values[0]) &&
      values.length * values[0].length === rows,
  );
  const layers = stated ?? beside?.values.length;
  if (layers !== undefined && Number.isInteger(layers)) return layers;
  throw fault(
    'RESULTS_HEADS_UNKNOWN',
    file,
    place,
    `${rows} rows run over layers and heads, but not how many heads there are`,
    'Add "heads" to the table.',
  );
}

/** Columns that are exactly 0 in every layer were zero by construction: nothing measured is that even. */
function statesOf(
  grid: { hook: HookName; axes: GridAxes; layers: number; columns: number },
  recovery: readonly (number | null)[],
): SiteState[] {
  const positional = grid.axes === 'layer_position' || grid.axes === 'layer_head_position';
  const still = Array.from(
    { length: grid.columns },
    (_, column) =>
      positional &&
      Array.from({ length: grid.layers }, (_row, layer) => recovery[layer * grid.columns + column]).every(
        (value) => value === 0,
      ),
  );
  return recovery.map((value, site) =>
    value === null
      ? 'missing'
      : still[site % grid.columns] === true
        ? 'zero'
        : isTrivial(grid, site)
          ? 'trivial'
          : 'open',
  );
}
