import { invariant } from '../../../shared/errors/index.ts';
import type { MetricName } from '../../../shared/domain/index.ts';
import { floats, ints } from './compiler.ts';
import { METRIC_TABLE, needsOf, type MetricContext, type Readout } from './metrics.ts';
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
 * Metrics of normalised final rows of one pair: h [rows, d] → per metric [rows].
 * Logits are float32 as the model gives them; everything after is float64.
 */
export async function readMetrics(
  sessions: PatchSessions,
  pair: PatchPair,
  h: Float32Array,
  metrics: readonly MetricName[],
  clean: CleanDistribution | null,
): Promise<Float64Array[]> {
  const { dModel: d, vocabSize } = sessions.config;
  const needs = needsOf(metrics);
  const columns = [...new Set([...pair.answer, ...pair.wrong])];
  const at = new Map(columns.map((id, i) => [id, i]));
  const rows = h.length / d;
  const results = metrics.map(() => new Float64Array(rows));
  const head = await sessions.head(needs);
  const chunk = needs.full ? Math.max(1, Math.floor(FULL_HEAD_BYTES / (4 * vocabSize))) : rows;
  const context: MetricContext = { pair, cleanNegEntropy: clean?.negEntropy ?? Number.NaN };
  for (let from = 0; from < rows; from += chunk) {
    const count = Math.min(chunk, rows - from);
    const feeds = {
      h: floats(h.subarray(from * d, (from + count) * d), [count, d]),
      columns: ints(columns, [columns.length]),
      ...(needs.cross && clean !== null ? { p: floats(clean.p, [vocabSize, 1]) } : {}),
    };
    const fetches = ['columns_out', ...(needs.full ? ['lse'] : []), ...(needs.cross ? ['cross'] : [])];
    const { columns_out: logits, lse, cross } = await head.run(feeds, fetches);
    invariant(logits !== undefined, 'the head gives logits');
    for (let r = 0; r < count; r++) {
      const readout: Readout = {
        logit: (id) => logits[r * columns.length + (at.get(id) ?? -1)] ?? Number.NaN,
        lse: lse?.[r] ?? Number.NaN,
        cross: cross?.[r] ?? Number.NaN,
      };
      metrics.forEach((m, i) => {
        const out = results[i];
        if (out !== undefined) out[from + r] = METRIC_TABLE[m].value(readout, context);
      });
    }
  }
  return results;
}

/** Softmax of one row of all logits, in float64. */
export function distribution(logits: Float32Array): CleanDistribution {
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
