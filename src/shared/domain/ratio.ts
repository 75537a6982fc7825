import type { MetricName } from './sweep.ts';

/**
 * |clean − corrupted| of a metric in logits (or nats) below which the model hardly tells the two runs apart, and
 * nothing is divided by it.
 */
export const SMALLEST_LOGIT_GAP = 0.1;

/** Metrics whose gap between the baselines has a scale that can be judged. */
const IN_LOGITS: ReadonlySet<string> = new Set<MetricName>(['logit_diff', 'logit_diff_sum', 'log_prob']);

/**
 * The one rule for ratios over a stored sweep (METHODS section 2): a recovery exists where |clean − corrupted| is
 * at least this, and is null everywhere else. For metrics in logits no smaller than `SMALLEST_LOGIT_GAP`,
 * whatever `epsilon` the sweep was given; for the others `epsilon`. Units of the metric.
 */
export function smallestGap(metric: string, epsilon: number): number {
  return IN_LOGITS.has(metric) ? Math.max(epsilon, SMALLEST_LOGIT_GAP) : epsilon;
}

/** What a ratio would be divided by. */
export interface RatioBase {
  readonly metric: string;
  readonly epsilon: number;
  readonly clean: number | null;
  readonly corrupted: number | null;
}

/** Why no ratio is given, as a sentence for whoever reads the numbers; null where one is, or nothing is known yet. */
export function noRatio({ metric, epsilon, clean, corrupted }: RatioBase): string | null {
  if (clean === null || corrupted === null) return null;
  const smallest = smallestGap(metric, epsilon);
  const gap = clean - corrupted;
  if (Math.abs(gap) >= smallest) return null;
  return `The mean gap between clean and corrupted is ${shortNumber(gap)}, below ${shortNumber(smallest)}: ratios would divide by almost nothing and are left undefined; the patched metric and its change stand beside them.`;
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(2))).replace('-', '−');
}
