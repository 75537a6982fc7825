import type { EffectGrid } from '../domain/index.ts';
import { differenceGrid } from './difference-heatmap.ts';
import type { Figure, FigureData, FigureKind } from './figure.ts';
import { cellState } from './heatmap-cells.ts';
import { columnName } from './heatmap-names.ts';
import { words } from './words.ts';

type TableValue = string | number | boolean | null;

/** The same numbers as the figure, unrounded; `columns` names each place of a row. */
export interface FigureTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly TableValue[])[];
}

/** Names of what runs across a grid. */
const ACROSS: Readonly<Record<EffectGrid['axes'], string>> = {
  layer: 'all positions',
  layer_position: 'position',
  layer_head: 'head',
  layer_head_position: 'head and position',
  layer_span: 'span',
  layer_head_span: 'head and span',
  layer_neuron: 'neuron',
};

function gridTable(grid: EffectGrid): FigureTable {
  const rows = grid.recovery.map((value, i): TableValue[] => {
    const column = i % grid.columns;
    return [
      Math.floor(i / grid.columns),
      column,
      columnName(grid, column),
      value,
      grid.low[i] ?? null,
      grid.high[i] ?? null,
      grid.raw[i] ?? null,
      grid.detected[i] ?? false,
      cellState(grid, i),
      grid.pairsDone,
      grid.window ?? 1,
      grid.drawSd?.[i] ?? null,
      grid.effect?.[i] ?? null,
      grid.noRatio ?? null,
    ];
  });
  return {
    columns: [
      'layer',
      ACROSS[grid.axes],
      'label',
      'recovery',
      'low',
      'high',
      'raw',
      'detected',
      'state',
      'pairs',
      'window',
      'draw_sd',
      'effect',
      'no_ratio',
    ],
    rows,
  };
}

const TABLES: { readonly [K in FigureKind]: (data: FigureData[K]) => FigureTable } = {
  effects: ({ grid }) => gridTable(grid),
  changes: ({ grid }) => gridTable(grid),
  comparison: (data) => {
    const whole = differenceGrid(data);
    const at = (grid: EffectGrid, i: number): number | null => {
      const [layer, column] = [Math.floor(i / whole.columns), i % whole.columns];
      if (layer >= grid.layers || column >= grid.columns) return null;
      return grid.recovery[layer * grid.columns + column] ?? null;
    };
    return {
      columns: ['layer', ACROSS[whole.axes], 'label', 'A', 'B', 'B minus A', 'state'],
      rows: data.difference.map((value, i) => [
        Math.floor(i / whole.columns),
        i % whole.columns,
        columnName(whole, i % whole.columns),
        at(data.a, i),
        at(data.b, i),
        value,
        cellState(whole, i),
      ]),
    };
  },
  multiples: ({ panels }) => {
    const [largest] = panels
      .map(({ grid }) => grid)
      .toSorted((x, y) => y.layers * y.columns - x.layers * x.columns);
    if (largest === undefined) return { columns: [], rows: [] };
    return {
      columns: ['layer', ACROSS[largest.axes], 'label', ...panels.map(({ title }) => title)],
      rows: largest.recovery.map((_, i) => {
        const [layer, column] = [Math.floor(i / largest.columns), i % largest.columns];
        return [
          layer,
          column,
          columnName(largest, column),
          ...panels.map(({ grid }) =>
            layer < grid.layers && column < grid.columns
              ? (grid.recovery[layer * grid.columns + column] ?? null)
              : null,
          ),
        ];
      }),
    };
  },
  layers: ({ series }) => ({
    columns: ['series', 'layer', 'recovery', 'low', 'high', 'pairs'],
    rows: series.flatMap(({ label, grid, column = 0 }) =>
      Array.from({ length: grid.layers }, (_, layer): TableValue[] => {
        const i = layer * grid.columns + column;
        return [
          label,
          layer,
          grid.recovery[i] ?? null,
          grid.low[i] ?? null,
          grid.high[i] ?? null,
          grid.pairsDone,
        ];
      }),
    ),
  }),
  scatter: ({ points }) => ({
    columns: ['site', 'layer', 'column', 'A', 'B', 'detected in'],
    rows: points.map((p) => [p.site, p.layer, p.column, p.a, p.b, p.where]),
  }),
  training: ({ steps, epochs }) => ({
    columns: ['series', 'step', 'epoch', 'loss', 'learning rate', 'gradient norm', 'tokens per second'],
    rows: [
      ...steps.map((p) => [
        words.train,
        p.step,
        p.epoch,
        p.loss,
        p.learningRate,
        p.gradientNorm,
        p.tokensPerSecond,
      ]),
      ...epochs.map((p) => [words.validation, p.step, p.epoch, p.validationLoss, null, null, null]),
    ],
  }),
  pairs: ({ detail }) => ({
    columns: ['pair', 'recovery', 'raw', 'effect', 'no_ratio'],
    rows: detail.pairs.map((p) => [p.id, p.recovery, p.raw, p.effect ?? null, detail.noRatio ?? null]),
  }),
  attention: ({ view: { tokens, weights } }) => ({
    columns: ['query', 'query token', 'key', 'key token', 'weight'],
    rows: tokens.flatMap((query, q) =>
      tokens
        .slice(0, q + 1)
        .map((key, k): TableValue[] => [q, query, k, key, weights[q * tokens.length + k] ?? null]),
    ),
  }),
  lens: ({ view }) => ({
    columns: ['before layer', 'logit difference', 'P(answer)', 'P(wrong)', 'token', 'probability'],
    rows: view.layers.map((layer, i) => [
      i,
      layer.logitDiff,
      layer.answer,
      layer.wrong,
      layer.top[0]?.token ?? null,
      layer.top[0]?.probability ?? null,
    ]),
  }),
  flow: ({ flow }) => ({
    columns: ['step', 'records'],
    rows: [
      [words.flow.read, flow.read],
      [words.flow.rejected, flow.rejected],
      [words.flow.duplicates, flow.duplicates],
      [words.flow.screened, flow.screened],
      [words.flow.excluded, flow.excluded],
      ...flow.excludedByReason.map((r): TableValue[] => [`${words.flow.excluded}: ${r.reason}`, r.count]),
      [words.flow.maybe, flow.maybe],
      [words.flow.undecided, flow.undecided],
      [words.flow.included, flow.included],
    ],
  }),
  localisation: ({ rows }) => ({
    columns: ['label', 'share', 'low', 'high'],
    rows: rows.map((r) => [r.label, r.value, r.low, r.high]),
  }),
};

/** The numbers of a figure for its table twin and for CSV. */
export function toTable(figure: Figure): FigureTable {
  const make = TABLES[figure.kind] as (data: Figure) => FigureTable;
  return make(figure);
}
