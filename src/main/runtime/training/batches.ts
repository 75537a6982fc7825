import type { TrainingConfig } from '../../../shared/domain/index.ts';
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

/** What counts in the loss, and how much. */
export interface LossRules extends Pick<
  TrainingConfig,
  'paddingInLoss' | 'paddingAttended' | 'accumulationMean' | 'batchSize'
> {
  /** A next token that never counts (the end-of-text token, where its labels are masked); null = none. */
  readonly maskedLabel: number | null;
}

/** The rules of a configuration, for a tokenizer's end-of-text token. */
export function lossRules(config: TrainingConfig, eosTokenId: number | null): LossRules {
  return { ...config, maskedLabel: config.eosInLoss ? null : eosTokenId };
}

/** Whether filler is in the batches but must not be attended to. */
export const hidesPadding = (rules: Pick<LossRules, 'paddingInLoss' | 'paddingAttended'>): boolean =>
  rules.paddingInLoss && !rules.paddingAttended;

/** A batch as the training graph takes it. */
export interface MicroBatch {
  readonly rows: number;
  readonly width: number;
  /** [rows, width]. */
  readonly ids: Int32Array;
  /** [rows · width]: the next token; 0 where nothing counts. */
  readonly labels: Int32Array;
  /** [rows · width]: what a next token counts, 0 where it does not; summed over a step's batches about 1. */
  readonly weights: Float32Array;
  /** [rows]: real tokens of each row, at least 1. */
  readonly lengths: Int32Array;
  /** How many next tokens count. */
  readonly targets: number;
  /** Tokens that the graph was asked for, for the speed shown. */
  readonly tokens: number;
}

export interface SplitOptions {
  readonly data: TokenBlock;
  readonly rules: LossRules;
  /** Sequences in one run of the graph at most. */
  readonly maxRows: number;
  /** Every batch has `maxRows` rows and this width, whatever is in it; see `widthOf`. Default: as narrow as may be. */
  readonly width?: number;
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

/** Tokens of a sequence that the graph reads. */
const lengthIn = (data: TokenBlock, rules: LossRules, row: number): number =>
  rules.paddingInLoss ? data.length : (data.lengths[row] ?? 0);

/** Whether the token at position t of a sequence counts where it is to be predicted. */
const isTarget = (data: TokenBlock, rules: LossRules, row: number, t: number): boolean =>
  rules.maskedLabel === null || data.ids[row * data.length + t] !== rules.maskedLabel;

function targetsOf(data: TokenBlock, rules: LossRules, row: number): number {
  const length = lengthIn(data, rules, row);
  if (rules.maskedLabel === null) return Math.max(0, length - 1);
  let targets = 0;
  for (let t = 1; t < length; t++) if (isTarget(data, rules, row, t)) targets++;
  return targets;
}

/** Next tokens of a row that count, and whether its first token, which nothing predicts, bears a label (1 or 0). */
interface RowCount {
  readonly targets: number;
  readonly first: number;
}

/** Weight of one target, by row. */
type Weighting = (rows: readonly RowCount[], batchSize: number) => number[];

const targetsIn = (rows: readonly RowCount[]): number => rows.reduce((sum, { targets }) => sum + targets, 0);

const WEIGHTINGS: Readonly<Record<TrainingConfig['accumulationMean'], Weighting>> = {
  tokens: (rows) => rows.map(() => 1 / Math.max(1, targetsIn(rows))),
  labels: (rows) => {
    const firsts = rows.reduce((sum, { first }) => sum + first, 0);
    return rows.map(() => 1 / Math.max(1, targetsIn(rows) + firsts));
  },
  batches: (rows, batchSize) => {
    const starts = Array.from({ length: Math.ceil(rows.length / batchSize) }, (_, i) => i * batchSize);
    const sums = starts.map((from) => targetsIn(rows.slice(from, from + batchSize)));
    const counting = Math.max(1, sums.filter((n) => n > 0).length);
    return rows.map((_, i) => 1 / (counting * Math.max(1, sums[Math.floor(i / batchSize)] ?? 0)));
  },
};

interface Member {
  readonly row: number;
  readonly length: number;
  readonly weight: number;
}

/**
 * Splits a step's sequences into batches for the graph, longest first. What is cut off on the right is padding
 * that counts nowhere, and rows added to fill a batch count nothing either: neither changes loss or gradients.
 */
export function splitStep(rows: StepRows, options: SplitOptions): MicroBatch[] {
  const { data, rules, maxRows, width: fixed } = options;
  const counts = Array.from(rows, (row): RowCount => {
    const first = lengthIn(data, rules, row) > 0 && isTarget(data, rules, row, 0) ? 1 : 0;
    return { targets: targetsOf(data, rules, row), first };
  });
  const weights = WEIGHTINGS[rules.accumulationMean](counts, rules.batchSize);
  const ordered = Array.from(rows, (row, i): Member => {
    return { row, length: lengthIn(data, rules, row), weight: weights[i] ?? 0 };
  }).sort((a, b) => b.length - a.length || a.row - b.row);
  const widths = widthsFor(data.length);
  const batches: MicroBatch[] = [];
  for (let at = 0; at < ordered.length; at += maxRows) {
    const members = ordered.slice(at, at + maxRows);
    const longest = members[0]?.length ?? 0;
    const width = fixed ?? widths.find((w) => w >= longest) ?? data.length;
    const height = fixed === undefined ? rowCountFor(members.length, maxRows) : maxRows;
    batches.push(fillBatch(members, data, rules, height, width));
  }
  return batches;
}

/** The width that holds every sequence of the data. */
export function widthOf(data: TokenBlock, rules: LossRules): number {
  let longest = 0;
  for (let row = 0; row < data.count; row++) longest = Math.max(longest, lengthIn(data, rules, row));
  return widthsFor(data.length).find((w) => w >= longest) ?? data.length;
}

function fillBatch(
  members: readonly Member[],
  data: TokenBlock,
  rules: LossRules,
  rows: number,
  width: number,
): MicroBatch {
  const ids = new Int32Array(rows * width);
  const labels = new Int32Array(rows * width);
  const weights = new Float32Array(rows * width);
  const lengths = new Int32Array(rows).fill(1);
  let targets = 0;
  let tokens = 0;
  members.forEach(({ row, length, weight }, b) => {
    const sequence = data.ids.subarray(row * data.length, row * data.length + length);
    ids.set(sequence, b * width);
    lengths[b] = Math.max(1, data.lengths[row] ?? 0);
    for (let t = 1; t < length; t++) {
      if (!isTarget(data, rules, row, t)) continue;
      labels[b * width + t - 1] = sequence[t] ?? 0;
      weights[b * width + t - 1] = weight;
      targets++;
    }
    tokens += length;
  });
  return { rows, width, ids, labels, weights, lengths, targets, tokens };
}
