export {
  ClusterBootstrap,
  bcaInterval,
  MIN_CLUSTERS,
  type BootstrapOptions,
  type Interval,
} from './bootstrap.ts';
export { groupByItem, meanStatistic, ratioOfMeansStatistic, type ClusterStatistic } from './clusters.ts';
export { benjaminiHochberg, holm } from './correction.ts';
export { pearson, ranks, spearman } from './correlation.ts';
export { mean, populationSd, quantile, sum, type Maybe } from './descriptive.ts';
export { detect, DETECTION_SD, type Detection } from './detection.ts';
export { friedman, type FriedmanResult } from './friedman.ts';
export { localisation, type Localisation } from './localisation.ts';
export { permutationTest, type PermutationOptions, type PermutationResult } from './permutation.ts';
export { baseline, pairRecovery, ratioOfMeans, type Measured } from './recovery.ts';
export {
  clustersNeeded,
  signFlipRefusal,
  signFlipTest,
  type SignFlipOptions,
  type SignFlipResult,
} from './sign-flip.ts';
