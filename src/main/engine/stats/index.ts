export { rankAgreement, strongest, type RankAgreement } from './agreement.ts';
export { bcaInterval, ClusterBootstrap, percentileInterval } from './bootstrap.ts';
export {
  combined,
  correlationStatistic,
  differenceStatistic,
  groupByItem,
  meanStatistic,
  ratioOfMeansStatistic,
} from './clusters.ts';
export type { ClusterStatistic } from './clusters.ts';
export { benjaminiHochberg, holm } from './correction.ts';
export { kendall, pearson, ranks, spearman } from './correlation.ts';
export { populationSd } from './descriptive.ts';
export { detect } from './detection.ts';
export { cliffsDelta, cohenDz, hedgesG } from './effectSize.ts';
export { friedman, type FriedmanResult } from './friedman.ts';
export { localisation } from './localisation.ts';
export { permutationTest } from './permutation.ts';
export { pairwiseComparisons, type PairwiseComparison } from './posthoc.ts';
export { baseline, pairRecovery, ratioOfMeans, type Measured } from './recovery.ts';
export { groupDifference, relabelings } from './two-sample.ts';
export { clustersNeeded, signFlipTest, type SignFlipResult } from './sign-flip.ts';
export { correlationRefusal, friedmanRefusal, groupRefusal, intervalRefusal } from './refusals.ts';
