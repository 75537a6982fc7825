import { headWidth, type ModelConfig } from '../../../shared/domain/index.ts';
import { MASKED } from './attention.ts';
import { floats, ints, type Feed } from './compiler.ts';
import { cellTokens, type Edit } from './edits.ts';
import type { PackedRun, PackedSize } from './packing.ts';
import { isSquare, pointName, POINTS } from './points.ts';
import type { PatchValues } from './sources.ts';

/** The edits that one packed run needs in one block. */
export interface RunEdits {
  /** Index of the run in the packed batch, and the run. */
  readonly v: number;
  readonly run: PackedRun;
  /** Index of its case in the group. */
  readonly one: number;
  readonly edits: readonly Edit[];
}

interface EditedRow {
  readonly mask: Float32Array;
  readonly values: Float32Array;
}

/**
 * Inputs of an edit graph (`editGraph.ts`) for one block: per point the rows to be changed, a mask over each
 * and the values that go in. Several edits of one row are put together; the last one wins where they meet.
 */
export function editFeeds(
  runs: readonly RunEdits[],
  points: readonly string[],
  size: PackedSize,
  config: ModelConfig,
  values: PatchValues,
): Record<string, Feed> {
  const tables = new Map(points.map((point) => [point, new Map<number, EditedRow>()] as const));
  const widths = new Map<string, number>();
  for (const { v, run, one, edits } of runs) {
    for (const edit of edits) {
      const point = pointName(edit.hook);
      const table = tables.get(point);
      if (table === undefined) continue;
      const width = isSquare(edit.hook) ? size.queries * size.keys : POINTS[edit.hook].width(config);
      widths.set(point, width);
      const rowAt = (index: number): EditedRow => {
        const row = table.get(index) ?? { mask: new Float32Array(width), values: new Float32Array(width) };
        table.set(index, row);
        return row;
      };
      if (isSquare(edit.hook)) writeSquare(edit, v, run, one, size, config, values, rowAt);
      else writeRows(edit, run, one, config, values, rowAt);
    }
  }
  const feeds: Record<string, Feed> = {};
  for (const [point, table] of tables) {
    const rows = [...table];
    const width = widths.get(point) ?? 1;
    const join = (part: (row: EditedRow) => Float32Array): Float32Array => {
      const all = new Float32Array(rows.length * width);
      rows.forEach(([, row], i) => all.set(part(row), i * width));
      return all;
    };
    feeds[`${point}:rows`] = ints(
      rows.map(([index]) => index),
      [rows.length],
    );
    feeds[`${point}:mask`] = floats(
      join((r) => r.mask),
      [rows.length, width],
    );
    feeds[`${point}:values`] = floats(
      join((r) => r.values),
      [rows.length, width],
    );
  }
  return feeds;
}

type RowAt = (index: number) => EditedRow;

/** A token's row, one head of it, or one neuron. */
function writeRows(
  edit: Edit,
  run: PackedRun,
  one: number,
  config: ModelConfig,
  values: PatchValues,
  rowAt: RowAt,
): void {
  const width = POINTS[edit.hook].width(config);
  const dh = headWidth(config);
  const [from, to] =
    edit.neuron >= 0
      ? [edit.neuron, edit.neuron + 1]
      : edit.head >= 0
        ? [edit.head * dh, (edit.head + 1) * dh]
        : [0, width];
  for (const token of edit.tokens) {
    const row = rowAt(run.row + token.to - run.from);
    const value = values.row(one, edit.layer, edit.hook, token.from);
    row.mask.fill(1, from, to);
    row.values.set(value.subarray(from, to), from);
  }
}

/** A query's row of one head (of all heads), or one cell of it. */
function writeSquare(
  edit: Edit,
  v: number,
  run: PackedRun,
  one: number,
  size: PackedSize,
  config: ModelConfig,
  values: PatchValues,
  rowAt: RowAt,
): void {
  // Keys behind the query that the row comes from are masked there.
  const unseen = edit.hook === 'blocks.{layer}.attn.hook_attn_scores' ? MASKED : 0;
  const heads = edit.head >= 0 ? [edit.head] : Array.from({ length: config.nHead }, (_, h) => h);
  for (const head of heads) {
    const square = rowAt(v * config.nHead + head);
    for (const token of cellTokens(edit)) {
      const value = values.square(one, edit.layer, edit.hook, head, token.from);
      const at = (token.to - run.from) * size.keys;
      const [first, last] = edit.key >= 0 ? [edit.key, edit.key + 1] : [0, token.to + 1];
      for (let key = first; key < last; key++) {
        square.mask[at + key] = 1;
        square.values[at + key] = value[key] ?? unseen;
      }
    }
  }
}
