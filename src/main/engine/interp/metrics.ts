import type { MetricName } from '../../../shared/domain/index.ts';
import type { PatchPair } from './types.ts';

/** What the unembedding gives of one run at the read position. */
export interface Readout {
  /** Logit of a token id among the pair's answer tokens. */
  readonly logit: (id: number) => number;
  /** Log of the sum of exponentials over the vocabulary; NaN where no metric asked for it. */
  readonly lse: number;
  /** Σ P_clean · log P over the vocabulary; NaN where no metric asked for it. */
  readonly cross: number;
}

export interface MetricContext {
  readonly pair: PatchPair;
  /** Σ P_clean · log P_clean: minus the entropy of the clean run. */
  readonly cleanNegEntropy: number;
}

interface Metric {
  /** `columns`: answer tokens only; `full`: also the normaliser; `cross`: also the clean distribution. */
  readonly needs: 'columns' | 'full' | 'cross';
  readonly value: (r: Readout, c: MetricContext) => number;
}

const sum = (ids: readonly number[], f: (id: number) => number): number =>
  ids.reduce((s, id) => s + f(id), 0);
const mean = (ids: readonly number[], f: (id: number) => number): number => sum(ids, f) / ids.length;
/** Different alternatives may share a token: probability counts each token once. */
const distinct = (ids: readonly number[]): number[] => [...new Set(ids)];
const probability = (r: Readout, ids: readonly number[]): number =>
  sum(distinct(ids), (id) => Math.exp(r.logit(id) - r.lse));

/** METHODS section 2, one row per metric; greater always means closer to the clean behaviour. */
export const METRIC_TABLE: Readonly<Record<MetricName, Metric>> = {
  /** Mean logit over the answer tokens minus mean logit over the wrong ones (CLAP step 4). */
  logit_diff: {
    needs: 'columns',
    value: (r, { pair }) => mean(pair.answer, r.logit) - mean(pair.wrong, r.logit),
  },
  /** Sums instead of means (ZN appendix E, greater-than). */
  logit_diff_sum: {
    needs: 'columns',
    value: (r, { pair }) => sum(pair.answer, r.logit) - sum(pair.wrong, r.logit),
  },
  /** P(answer), summed over the set. */
  prob: { needs: 'full', value: (r, { pair }) => probability(r, pair.answer) },
  log_prob: { needs: 'full', value: (r, { pair }) => Math.log(probability(r, pair.answer)) },
  /** −KL(P_clean ‖ P). */
  kl: { needs: 'cross', value: (r, c) => r.cross - c.cleanNegEntropy },
};

export interface Needs {
  readonly full: boolean;
  readonly cross: boolean;
}

export function needsOf(metrics: readonly MetricName[]): Needs {
  const needs = metrics.map((m) => METRIC_TABLE[m].needs);
  const cross = needs.includes('cross');
  return { full: cross || needs.includes('full'), cross };
}
