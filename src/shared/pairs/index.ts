export {
  bosTokenFor,
  encodePrompt,
  reduceAnswers,
  scoringMode,
  toTokens,
  type BosChoice,
  type EncodeContext,
} from './encode.ts';
export { GAP_WARNING, hasError, pairFlags } from './flags.ts';
export { preparePair, preparePairs, type PreparedPair, type PreparedPairs } from './prepare.ts';
export { resolveRead } from './read.ts';
export { alternativeIds, logitDifference, scorePair, topTokens } from './score.ts';
export { differenceGroups, splitPair } from './split.ts';
export { encodePair, pairTokens } from './tokens.ts';
