import type { MetricName } from '../../../shared/domain/index.ts';
import type { HeadNeeds } from './headGraphs.ts';
import type { PatchPair } from './types.ts';

/** What the unembedding gives of one run at the read position. */
export interface Readout {
  /** Logit of a token id among the pair's answer tokens. */
  readonly logit: (id: number) => number;
  /** Log of the sum of exponentials over the vocabulary; NaN where no metric asked for it. */
  readonly lse: number;
  /** Σ P_clean · log P over the vocabulary; NaN where no metric asked for it. */
  readonly cross: number;
  /** Place of the likeliest answer token among all tokens, from 1; NaN where no metric asked for it. */
  readonly rank: number;
}

/** Probabilities of the answer and of the wrong answer in the run patched into. */
export interface BaseProbabilities {
  readonly answer: number;
  readonly wrong: number;
}

export interface MetricContext {
  readonly pair: PatchPair;
  /** Σ P_clean · log P_clean: minus the entropy of the clean run. */
  readonly cleanNegEntropy: number;
  readonly base: BaseProbabilities;
}

/** Log-likelihoods of the alternatives of a sequence answer. */
export interface SequenceScores {
  readonly answer: readonly number[];
  readonly wrong: readonly number[];
}

interface Metric {
  /** What it reads beside the answer columns. */
  readonly needs: Partial<HeadNeeds>;
  readonly value: (r: Readout, c: MetricContext) => number;
  /** The same over whole answers (answer mode `sequence`); absent where it has no meaning. */
  readonly sequence?: (s: SequenceScores, base: BaseProbabilities) => number;
}

const total = (values: readonly number[]): number => values.reduce((s, v) => s + v, 0);
const average = (values: readonly number[]): number => total(values) / values.length;
const sum = (ids: readonly number[], f: (id: number) => number): number => total(ids.map(f));
const mean = (ids: readonly number[], f: (id: number) => number): number => sum(ids, f) / ids.length;
/** Different alternatives may share a token: probability counts each token once. */
const distinct = (ids: readonly number[]): number[] => [...new Set(ids)];
const probability = (r: Readout, ids: readonly number[]): number =>
  sum(distinct(ids), (id) => Math.exp(r.logit(id) - r.lse));
const likelihood = (logs: readonly number[]): number => total(logs.map(Math.exp));
const logLikelihood = (logs: readonly number[]): number => {
  const most = Math.max(...logs);
  return most + Math.log(total(logs.map((l) => Math.exp(l - most))));
};
/** Half the relative gain of the answer and loss of the wrong answer over the run patched into. */
const relative = (answer: number, wrong: number, base: BaseProbabilities): number =>
  0.5 * ((answer - base.answer) / base.answer + (base.wrong - wrong) / wrong);

/** METHODS section 2, one row per metric; greater means closer to the clean behaviour, but for `rank`. */
export const METRIC_TABLE: Readonly<Record<MetricName, Metric>> = {
  /**
   * Mean logit over the answer tokens minus mean logit over the wrong ones (CLAP step 4). Over sequences the
   * difference of the mean log-likelihoods, which for single tokens is the same number.
   */
  logit_diff: {
    needs: {},
    value: (r, { pair }) => mean(pair.answer, r.logit) - mean(pair.wrong, r.logit),
    sequence: (s) => average(s.answer) - average(s.wrong),
  },
  /** Sums instead of means (ZN appendix E, greater-than). */
  logit_diff_sum: {
    needs: {},
    value: (r, { pair }) => sum(pair.answer, r.logit) - sum(pair.wrong, r.logit),
  },
  /** P(answer), summed over the set. */
  prob: {
    needs: { full: true },
    value: (r, { pair }) => probability(r, pair.answer),
    sequence: (s) => likelihood(s.answer),
  },
  log_prob: {
    needs: { full: true },
    value: (r, { pair }) => Math.log(probability(r, pair.answer)),
    sequence: (s) => logLikelihood(s.answer),
  },
  /** −KL(P_clean ‖ P). */
  kl: { needs: { full: true, cross: true }, value: (r, c) => r.cross - c.cleanNegEntropy },
  /** Stolfo et al. 2023: ½[(P(r) − P₀(r))/P₀(r) + (P₀(r′) − P(r′))/P(r′)], P₀ the run patched into. */
  relative_prob: {
    needs: { full: true },
    value: (r, { pair, base }) => relative(probability(r, pair.answer), probability(r, pair.wrong), base),
    sequence: (s, base) => relative(likelihood(s.answer), likelihood(s.wrong), base),
  },
  /** Place of the likeliest answer token among all tokens; 1 = the model says it. Smaller is closer. */
  rank: { needs: { rank: true }, value: (r) => r.rank },
  /** 1 where an answer token is the top one, else 0: a change of it is a flip. */
  top1: { needs: { rank: true }, value: (r) => (r.rank === 1 ? 1 : 0) },
};

/** Probabilities of a run at its read position, for metrics that compare with it. */
export const baseProbabilities = (r: Readout, pair: PatchPair): BaseProbabilities => ({
  answer: probability(r, pair.answer),
  wrong: probability(r, pair.wrong),
});

export const baseLikelihoods = (s: SequenceScores): BaseProbabilities => ({
  answer: likelihood(s.answer),
  wrong: likelihood(s.wrong),
});

/** What the head must give for the metrics; `sequences`: some pair scores whole answers. */
export function needsOf(metrics: readonly MetricName[], sequences = false): HeadNeeds {
  const needs = metrics.map((m) => METRIC_TABLE[m].needs);
  const any = (key: keyof HeadNeeds): boolean => needs.some((n) => n[key] === true);
  return { full: sequences || any('full'), cross: any('cross'), rank: any('rank') };
}
