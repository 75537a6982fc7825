import { FormatError, UserInputError, invariant } from '../../../shared/errors/index.ts';
import type { ModelConfig } from '../../../shared/domain/index.ts';
import type { TokenBlock } from '../../models/index.ts';
import { groupsOf } from '../prompts.ts';
import { KEY_MASK, keyMaskValues } from '../../engine/nn/keyMask.ts';
import { f32, floats, i64, type Feeds, type Results } from '../sessions.ts';
import type { LossRules } from './batches.ts';

/** Logits that one evaluation run may hold at most (values). */
const LOGITS_PER_RUN = 2 ** 23;

/** Per sequence: summed negative log-likelihood in nats, and how many next tokens it is the sum of. */
export interface SequenceLosses {
  readonly nll: Float64Array;
  readonly tokens: Int32Array;
}

export interface EvaluateOptions {
  readonly data: TokenBlock;
  readonly vocabSize: number;
  /** What counts; see `LossRules`. */
  readonly rules: Pick<LossRules, 'paddingInLoss' | 'paddingAttended' | 'maskedLabel'>;
  /** Runs a graph with inputs `ids`, `rows`, `labels` (and `keys` where padding is hidden) and output `nll`. */
  readonly run: (feeds: Feeds) => Promise<Results>;
  /** Called before every run with the sequences done so far; throws to stop. */
  readonly between: (done: number, total: number) => void;
}

/**
 * Checks a block of sequences against a model.
 * @throws UserInputError BLOCK_EMPTY, BLOCK_TOO_LONG, TOKEN_UNKNOWN; FormatError BLOCK_SHAPE.
 */
export function checkBlock(data: TokenBlock, config: ModelConfig, what: string): void {
  if (data.count === 0) {
    throw new UserInputError(
      'BLOCK_EMPTY',
      `${what}: there is no sequence.`,
      'Choose a dataset with text in it.',
    );
  }
  if (data.ids.length !== data.count * data.length || data.lengths.length !== data.count) {
    throw new FormatError(
      'BLOCK_SHAPE',
      `${what}: ${data.ids.length} ids and ${data.lengths.length} lengths for ${data.count} sequences of ${data.length}.`,
      'Prepare the dataset again.',
    );
  }
  if (data.length > config.nCtx) {
    throw new UserInputError(
      'BLOCK_TOO_LONG',
      `${what}: sequences of ${data.length} tokens; the model reads at most ${config.nCtx}.`,
      `Choose a sequence length of ${config.nCtx} or less.`,
    );
  }
  const bad = data.ids.findIndex((id) => id < 0 || id >= config.vocabSize);
  if (bad >= 0) {
    throw new UserInputError(
      'TOKEN_UNKNOWN',
      `${what}: token id ${data.ids[bad] ?? '?'} in sequence ${Math.floor(bad / data.length)}; the vocabulary has ${config.vocabSize} tokens.`,
      'Use the tokenizer that belongs to the model.',
    );
  }
}

/** Losses of every sequence. Sequences of like length run together, so that little is spent on padding. */
export async function evaluateBlock(options: EvaluateOptions): Promise<SequenceLosses> {
  const { data, rules } = options;
  const lengthOf = (i: number): number => (rules.paddingInLoss ? data.length : (data.lengths[i] ?? 0));
  const order = Array.from({ length: data.count }, (_, i) => i).sort(
    (a, b) => lengthOf(b) - lengthOf(a) || a - b,
  );
  const costs = order.map((i) => Math.max(1, lengthOf(i)) * options.vocabSize);
  const nll = new Float64Array(data.count);
  const tokens = new Int32Array(data.count);
  for (const [from, to] of groupsOf(costs, LOGITS_PER_RUN)) {
    options.between(from, data.count);
    const members = order.slice(from, to);
    await runGroup(options, members, lengthOf, nll, tokens);
  }
  options.between(data.count, data.count);
  return { nll, tokens };
}

async function runGroup(
  { data, run, rules }: EvaluateOptions,
  members: readonly number[],
  lengthOf: (i: number) => number,
  nll: Float64Array,
  tokens: Int32Array,
): Promise<void> {
  const width = lengthOf(members[0] ?? 0);
  if (width < 2) return;
  const ids = new Int32Array(members.length * width);
  const rows: number[] = [];
  const labels: number[] = [];
  members.forEach((i, b) => {
    const sequence = data.ids.subarray(i * data.length, i * data.length + width);
    ids.set(sequence, b * width);
    const before = rows.length;
    for (let t = 0; t < lengthOf(i) - 1; t++) {
      const label = sequence[t + 1] ?? 0;
      if (label === rules.maskedLabel) continue;
      rows.push(b * width + t);
      labels.push(label);
    }
    tokens[i] = rows.length - before;
  });
  if (rows.length === 0) return;
  const lengths = members.map((i) => Math.max(1, data.lengths[i] ?? 0));
  const results = await run({
    ids: i64(ids, [members.length, width]),
    rows: i64(rows, [rows.length]),
    labels: i64(labels, [labels.length]),
    [KEY_MASK]: f32(keyMaskValues(lengths, width), [members.length, 1, 1, width]),
  });
  const values = floats(results, 'nll');
  invariant(values.length === rows.length, 'one loss per row');
  let at = 0;
  for (const i of members) {
    let sum = 0;
    for (const end = at + (tokens[i] ?? 0); at < end; at++) sum += values[at] ?? 0;
    nll[i] = sum;
  }
}

/** Mean over all counted tokens; NaN when there is none. */
export function tokenMean({ nll, tokens }: SequenceLosses): number {
  return sum(nll) / sum(tokens);
}

/**
 * transformers' evaluation loss: each batch's token mean, averaged over batches of `batchSize` in order, each
 * weighing by its sequences (the last one may have fewer). Batches without a token are left out.
 */
export function batchMean({ nll, tokens }: SequenceLosses, batchSize: number): number {
  let [total, sequences] = [0, 0];
  for (let i = 0; i < nll.length; i += batchSize) {
    const part = tokens.subarray(i, i + batchSize);
    const counted = sum(part);
    if (counted === 0) continue;
    total += (part.length * sum(nll.subarray(i, i + batchSize))) / counted;
    sequences += part.length;
  }
  return total / sequences;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
}
