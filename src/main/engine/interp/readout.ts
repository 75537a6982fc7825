import { invariant } from '../../../shared/errors/index.ts';
import type { MetricName } from '../../../shared/domain/index.ts';
import { floats, ints } from './compiler.ts';
import {
  baseLikelihoods,
  baseProbabilities,
  METRIC_TABLE,
  needsOf,
  type BaseProbabilities,
  type MetricContext,
  type Readout,
  type SequenceScores,
} from './metrics.ts';
import type { PatchSessions } from './sessions.ts';
import type { PatchPair } from './types.ts';

/** The clean run's distribution at the read position, for KL. */
export interface CleanDistribution {
  readonly p: Float32Array;
  readonly negEntropy: number;
}

/** Rows through the unembedding at a time, so that full vocabularies stay small in memory. */
const FULL_HEAD_BYTES = 64 * 2 ** 20;

/**
 * What the unembedding gives of normalised final rows h [rows, d], for the columns asked for.
 * Logits are float32 as the model gives them; everything after is float64.
 */
async function readouts(
  sessions: PatchSessions,
  h: Float32Array,
  columns: readonly number[],
  ranked: readonly number[],
  needs: ReturnType<typeof needsOf>,
  clean: CleanDistribution | null,
): Promise<Readout[]> {
  const { dModel: d, vocabSize } = sessions.config;
  const at = new Map(columns.map((id, i) => [id, i]));
  const rows = h.length / d;
  const head = await sessions.head(needs);
  const whole = needs.full || needs.cross || needs.rank;
  const chunk = whole ? Math.max(1, Math.floor(FULL_HEAD_BYTES / (4 * vocabSize))) : rows;
  const out: Readout[] = [];
  for (let from = 0; from < rows; from += chunk) {
    const count = Math.min(chunk, rows - from);
    const feeds = {
      h: floats(h.subarray(from * d, (from + count) * d), [count, d]),
      columns: ints(columns, [columns.length]),
      ...(needs.cross && clean !== null ? { p: floats(clean.p, [vocabSize, 1]) } : {}),
      ...(needs.rank ? { ranked: ints(ranked, [ranked.length]) } : {}),
    };
    const fetches = [
      'columns_out',
      ...(needs.full || needs.cross ? ['lse'] : []),
      ...(needs.cross ? ['cross'] : []),
      ...(needs.rank ? ['rank'] : []),
    ];
    const { columns_out: logits, lse, cross, rank } = await head.run(feeds, fetches);
    invariant(logits !== undefined, 'the head gives logits');
    for (let r = 0; r < count; r++) {
      out.push({
        logit: (id) => logits[r * columns.length + (at.get(id) ?? -1)] ?? Number.NaN,
        lse: lse?.[r] ?? Number.NaN,
        cross: cross?.[r] ?? Number.NaN,
        rank: rank?.[r] ?? Number.NaN,
      });
    }
  }
  return out;
}

/**
 * Metrics at the read position of one pair's runs: h [rows, d] → per metric [rows]. The first row is the run
 * patched into, with which relative metrics compare.
 */
export async function readMetrics(
  sessions: PatchSessions,
  pair: PatchPair,
  h: Float32Array,
  metrics: readonly MetricName[],
  clean: CleanDistribution | null,
): Promise<Float64Array[]> {
  const columns = [...new Set([...pair.answer, ...pair.wrong])];
  const rows = await readouts(sessions, h, columns, pair.answer, needsOf(metrics), clean);
  const [target] = rows;
  invariant(target !== undefined, 'the run patched into');
  const context: MetricContext = {
    pair,
    cleanNegEntropy: clean?.negEntropy ?? Number.NaN,
    base: baseProbabilities(target, pair),
  };
  return metrics.map((m) => Float64Array.from(rows, (row) => METRIC_TABLE[m].value(row, context)));
}

/**
 * Log-likelihood of one alternative's tokens under teacher forcing: h [runs × reads, d] and the token that
 * each read position should predict → [runs], in nats.
 */
export async function readLikelihoods(
  sessions: PatchSessions,
  scored: readonly number[],
  h: Float32Array,
): Promise<Float64Array> {
  const columns = [...new Set(scored)];
  const rows = await readouts(sessions, h, columns, [], needsOf([], true), null);
  return Float64Array.from({ length: rows.length / scored.length }, (_, run) =>
    scored.reduce((sum, id, i) => {
      const row = rows[run * scored.length + i];
      return sum + (row === undefined ? Number.NaN : row.logit(id) - row.lse);
    }, 0),
  );
}

/** Metrics over whole answers: per alternative the log-likelihoods [rows] → per metric [rows]; row 0 as above. */
export function sequenceMetrics(
  answers: number,
  likelihoods: readonly Float64Array[],
  metrics: readonly MetricName[],
): Float64Array[] {
  const rows = likelihoods[0]?.length ?? 0;
  const scores = Array.from({ length: rows }, (_, r): SequenceScores => {
    const logs = likelihoods.map((values) => values[r] ?? Number.NaN);
    return { answer: logs.slice(0, answers), wrong: logs.slice(answers) };
  });
  const base: BaseProbabilities = baseLikelihoods(scores[0] ?? { answer: [], wrong: [] });
  return metrics.map((m) =>
    Float64Array.from(scores, (s) => METRIC_TABLE[m].sequence?.(s, base) ?? Number.NaN),
  );
}

/** Softmax of one row of all logits, in float64. */
function distribution(logits: Float32Array): CleanDistribution {
  const max = logits.reduce((m, v) => Math.max(m, v), -Infinity);
  let total = 0;
  for (const v of logits) total += Math.exp(v - max);
  const lse = max + Math.log(total);
  let negEntropy = 0;
  const p = new Float32Array(logits.length);
  logits.forEach((v, i) => {
    const logP = v - lse;
    const q = Math.exp(logP);
    p[i] = q;
    negEntropy += q * logP;
  });
  return { p, negEntropy };
}

/** The distribution over the vocabulary after one normalised final row [d]. */
export async function distributionOf(sessions: PatchSessions, h: Float32Array): Promise<CleanDistribution> {
  const head = await sessions.logits();
  const { logits } = await head.run({ h: floats(h, [1, sessions.config.dModel]) }, ['logits']);
  invariant(logits?.length === sessions.config.vocabSize, 'logits of one row');
  return distribution(logits);
}
