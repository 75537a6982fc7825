import { Mt19937 } from '../../engine/random/index.ts';
import type { TokenBlock } from '../../models/index.ts';

/** Widths in which batches run: at most this many, so that few graphs are compiled. */
const WIDTHS = 8;
const NARROWEST = 16;

/** Sequences of one optimiser step, as rows of the training block. */
export type StepRows = Int32Array;

export interface EpochPlan {
  readonly stepsPerEpoch: number;
  /** Rows of a step of an epoch, both counted from 0. */
  rows(epoch: number, step: number): StepRows;
}

/**
 * The order of training. Each epoch is shuffled anew, NumPy's `RandomState(seed + epoch).permutation`, cut into
 * steps of batch × accumulation sequences; the last step of an epoch may be shorter. Nothing but the seed and
 * the epoch's number decides it, so that a resumed run goes on exactly where it stopped.
 */
export function planEpochs(count: number, sequencesPerStep: number, seed: number): EpochPlan {
  let current: { epoch: number; order: Int32Array } | null = null;
  const orderOf = (epoch: number): Int32Array => {
    if (current?.epoch !== epoch)
      current = { epoch, order: new Mt19937((seed + epoch) >>> 0).permutation(count) };
    return current.order;
  };
  return {
    stepsPerEpoch: Math.ceil(count / sequencesPerStep),
    rows: (epoch, step) => orderOf(epoch).slice(step * sequencesPerStep, (step + 1) * sequencesPerStep),
  };
}

/** A batch as the training graph takes it. */
export interface MicroBatch {
  readonly rows: number;
  readonly width: number;
  /** [rows, width]. */
  readonly ids: Int32Array;
  /** [rows · width]: the next token; 0 where nothing counts. */
  readonly labels: Int32Array;
  /** [rows · width]: 1 where a next token counts. */
  readonly counted: Float32Array;
  /** How many count. */
  readonly targets: number;
  /** Real tokens, for the speed shown. */
  readonly tokens: number;
}

export interface SplitOptions {
  readonly data: TokenBlock;
  /** Counts the padding after a sequence as text. */
  readonly paddingInLoss: boolean;
  /** Sequences in one run of the graph at most. */
  readonly maxRows: number;
}

/** Widths for sequences of up to `length` tokens, ascending, the last being `length` itself. */
export function widthsFor(length: number): number[] {
  const unit = Math.max(NARROWEST, Math.ceil(length / WIDTHS / NARROWEST) * NARROWEST);
  const widths: number[] = [];
  for (let w = unit; w < length; w += unit) widths.push(w);
  return [...widths, length];
}

/** Row counts that a graph is compiled for: the full one and its halves, so that a short rest wastes little. */
export function rowCountFor(rows: number, maxRows: number): number {
  let size = maxRows;
  while (Math.ceil(size / 2) >= rows && size > 1) size = Math.ceil(size / 2);
  return size;
}

/**
 * Splits a step's sequences into batches for the graph, longest first. What is cut off on the right is padding
 * that counts nowhere, and rows added to fill a batch count nothing either: neither changes loss or gradients.
 */
export function splitStep(rows: StepRows, options: SplitOptions): MicroBatch[] {
  const { data, paddingInLoss, maxRows } = options;
  const lengthOf = (row: number): number => (paddingInLoss ? data.length : (data.lengths[row] ?? 0));
  const ordered = Array.from(rows).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const widths = widthsFor(data.length);
  const batches: MicroBatch[] = [];
  for (let at = 0; at < ordered.length; at += maxRows) {
    const members = ordered.slice(at, at + maxRows);
    const longest = lengthOf(members[0] ?? 0);
    const width = widths.find((w) => w >= longest) ?? data.length;
    batches.push(fillBatch(members, data, lengthOf, rowCountFor(members.length, maxRows), width));
  }
  return batches;
}

function fillBatch(
  members: readonly number[],
  data: TokenBlock,
  lengthOf: (row: number) => number,
  rows: number,
  width: number,
): MicroBatch {
  const ids = new Int32Array(rows * width);
  const labels = new Int32Array(rows * width);
  const counted = new Float32Array(rows * width);
  let targets = 0;
  let tokens = 0;
  members.forEach((row, b) => {
    const length = lengthOf(row);
    const sequence = data.ids.subarray(row * data.length, row * data.length + length);
    ids.set(sequence, b * width);
    labels.set(sequence.subarray(1), b * width);
    const predicted = Math.max(0, length - 1);
    counted.fill(1, b * width, b * width + predicted);
    targets += predicted;
    tokens += length;
  });
  return { rows, width, ids, labels, counted, targets, tokens };
}
