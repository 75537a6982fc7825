import { z } from 'zod';
import {
  noRatio,
  smallestGap,
  type Direction,
  type ExternalTable,
  type GridAxes,
} from '../../../shared/domain/index.ts';
import { baseline, ratioOfMeans, type Measured } from '../../engine/stats/index.ts';
import { csvRows } from '../csv/rows.ts';
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

const empty = (value: unknown): unknown => (value === '' ? null : value);
const number = z.preprocess(empty, z.coerce.number().nullable());
const place = z.preprocess(empty, z.coerce.number().int().nonnegative().nullable());
const truth = z.preprocess((value) => value === true || value === 'true', z.boolean());

/** One line of `engram export --what effects`. */
const Row = z.object({
  hook: z.string().min(1),
  metric: z.string().min(1),
  pair: z.coerce.string(),
  layer: place,
  head: place.default(null),
  position: place.default(null),
  raw: number,
  normalized: number.default(null),
  clean: number,
  corrupted: number,
  structural_zero: truth.default(false),
  trivial: truth.default(false),
  window: place.default(null),
  span: z.unknown(),
  neuron: z.unknown(),
  at: z.unknown(),
});
type Row = z.infer<typeof Row>;
const NEEDED = ['hook', 'metric', 'pair', 'layer', 'raw', 'clean', 'corrupted'] as const;

/** Reads effects one a line, as CSV or as JSON lines. */
export const effectsFormat: ResultFormat = {
  name: 'effects',
  matches: ({ text, json }) => {
    const [head = ''] = text.split('\n', 1);
    return NEEDED.every((column) => head.includes(column)) && (json === undefined || 'hook' in Object(json));
  },
  read: async (file) => {
    const rows = await readRows(file);
    const remarks: string[] = [];
    const direction = settled(
      file.name,
      'direction',
      directionOf(rows.map(({ row }) => row)),
      file.given.direction,
      'denoising',
      remarks,
    );
    const plain = rows.filter(({ row }) => isPlain(row));
    if (plain.length < rows.length) {
      remarks.push(
        `${rows.length - plain.length} rows of spans, neurons and single places are left out: they have no grid here.`,
      );
    }
    if (plain.length === 0)
      throw fault(
        'RESULTS_EMPTY',
        file.name,
        'all lines',
        'no row is of a layer and its positions or heads',
        'Export a sweep over positions or heads.',
      );
    const groups = Map.groupBy(plain, ({ row }) => `${row.hook}\n${row.metric}\n${row.window ?? ''}`);
    return {
      format: 'effects',
      source: '',
      note: '',
      model: file.given.model,
      method: null,
      corruption: null,
      direction,
      tables: [...groups.values()].map((group) => readGroup(file.name, group, direction)),
      remarks,
    };
  },
};

interface NumberedRow {
  readonly row: Row;
  readonly line: number;
}

async function readRows(file: ResultFile): Promise<NumberedRow[]> {
  const rows: NumberedRow[] = [];
  for await (const { cells, line } of file.text.startsWith('{') ? jsonRows(file) : csvObjects(file)) {
    const row = checked(Row, cells, {
      code: 'RESULTS_ROW_MALFORMED',
      file: file.name,
      place: (path) => `line ${line}, ${path || 'row'}`,
      next: 'Write the table again with `engram export --what effects`, or correct the row.',
    });
    rows.push({ row, line });
  }
  if (rows.length > 0) return rows;
  throw fault(
    'RESULTS_EMPTY',
    file.name,
    'line 1',
    'there are no rows under the header',
    'Choose a table with effects.',
  );
}

interface Line {
  readonly cells: unknown;
  readonly line: number;
}

function* jsonRows({ name, text }: ResultFile): Generator<Line> {
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    try {
      yield { cells: JSON.parse(line), line: index + 1 };
    } catch (error) {
      throw fault(
        'RESULTS_ROW_MALFORMED',
        name,
        `line ${index + 1}`,
        `this is not JSON (${error instanceof Error ? error.message : 'unreadable'})`,
        'Correct the line, or write the table again.',
      );
    }
  }
}

async function* csvObjects({ name, text }: ResultFile): AsyncGenerator<Line> {
  // eslint-disable-next-line @typescript-eslint/require-await -- the reader of CSV takes a stream
  const source = async function* (): AsyncGenerator<string> {
    yield text;
  };
  let header: string[] | null = null;
  for await (const { cells, line } of csvRows(source(), ',', name)) {
    if (header === null) header = cells.map((cell) => cell.trim());
    else yield { cells: Object.fromEntries(header.map((column, i) => [column, cells[i] ?? ''])), line };
  }
}

/** Which run was patched into, told by how raw and normalised values belong together; null where nothing tells. */
function directionOf(rows: readonly Row[]): Direction | null {
  for (const { raw, normalized, clean, corrupted } of rows) {
    if (raw === null || normalized === null || clean === null || corrupted === null) continue;
    const gap = clean - corrupted;
    const off = (base: number): number => Math.abs((raw - base) / gap - normalized);
    const [denoising, noising] = [off(corrupted), off(clean)];
    if (gap === 0 || Math.abs(denoising - noising) < 1e-6) continue;
    return denoising < noising ? 'denoising' : 'noising';
  }
  return null;
}

/** Whether a row is of a whole grid of layers with positions or heads. */
function isPlain({ span, neuron, at }: Row): boolean {
  return [span, neuron, at].every((value) => value === undefined || value === null || value === '');
}

function axesOf(rows: readonly NumberedRow[]): GridAxes {
  const head = rows.some(({ row }) => row.head !== null);
  const position = rows.some(({ row }) => row.position !== null);
  return head ? (position ? 'layer_head_position' : 'layer_head') : position ? 'layer_position' : 'layer';
}

function readGroup(file: string, rows: readonly NumberedRow[], direction: Direction): ExternalTable {
  const first = rows[0];
  const axes = axesOf(rows);
  const at = `line ${first?.line ?? 1}`;
  const hook = hookOf(file, at, first?.row.hook ?? '');
  const metric = metricOf(file, at, first?.row.metric ?? '');
  const most = (of: (row: Row) => number | null): number =>
    rows.reduce((largest, { row }) => Math.max(largest, of(row) ?? 0), 0) + 1;
  const [layers, heads, positions] = [most((r) => r.layer), most((r) => r.head), most((r) => r.position)];
  const columns = heads * positions;
  const window = first?.row.window ?? 1;
  const sites: { measured: Measured[]; states: SiteState[] }[] = Array.from(
    { length: layers * columns },
    () => ({
      measured: [],
      states: [],
    }),
  );
  const seen = new Set<string>();
  for (const { row, line } of rows) {
    if (row.layer === null || (axes.includes('head') && row.head === null)) {
      throw fault(
        'RESULTS_ROW_MALFORMED',
        file,
        `line ${line}`,
        `${row.hook} has no ${row.layer === null ? 'layer' : 'head'} here, elsewhere it has`,
        'Give every row of a hook the same columns.',
      );
    }
    const site = row.layer * columns + (row.head ?? 0) * positions + (row.position ?? 0);
    const key = `${site} ${row.pair}`;
    if (seen.has(key)) {
      throw fault(
        'RESULTS_ROW_TWICE',
        file,
        `line ${line}`,
        `pair ${row.pair} has a second value at one site of ${row.hook}`,
        'Keep one row for each pair and site.',
      );
    }
    seen.add(key);
    if (row.raw === null || row.clean === null || row.corrupted === null) continue;
    sites[site]?.measured.push({ raw: row.raw, clean: row.clean, corrupted: row.corrupted });
    sites[site]?.states.push(row.structural_zero ? 'zero' : row.trivial ? 'trivial' : 'open');
  }
  const pairs = new Map(rows.map(({ row }) => [row.pair, row]));
  const [clean, corrupted] = [meanOf([...pairs.values()], 'clean'), meanOf([...pairs.values()], 'corrupted')];
  const why = noRatio({ metric, epsilon: 0, clean, corrupted });
  const gap = smallestGap(metric, Number.MIN_VALUE);
  return {
    name: `${first?.row.hook ?? ''} ${metric}${window < 2 ? '' : ` window ${window}`}`,
    hook,
    axes,
    ...(window < 2 ? {} : { window }),
    metric,
    layers,
    columns,
    columnLabels: columnNames(axes, columns, positions),
    recovery: sites.map(({ measured }) => (why === null ? ratioOfMeans(direction, measured, gap) : null)),
    raw: sites.map(({ measured }) => mean(measured.map((m) => m.raw))),
    effect: sites.map(({ measured }) => mean(measured.map((m) => m.raw - baseline(direction, m)))),
    ...(why === null ? {} : { noRatio: why }),
    state: sites.map(({ states }) =>
      states.length === 0
        ? 'missing'
        : states.includes('open')
          ? 'open'
          : states.includes('trivial')
            ? 'trivial'
            : 'zero',
    ),
    meanClean: clean,
    meanCorrupted: corrupted,
    pairs: pairs.size,
  };
}

const meanOf = (rows: readonly Row[], key: 'clean' | 'corrupted'): number | null =>
  mean(rows.flatMap((row) => row[key] ?? []));

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
