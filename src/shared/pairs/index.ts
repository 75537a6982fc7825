export {
  bosTokenFor,
  encodeAnswers,
  encodePrompt,
  reduceAnswers,
  scoringMode,
  toTokens,
  type BosChoice,
  type EncodeContext,
  type PairTokenizer,
} from './encode.ts';
export { FLAG_RULES, GAP_WARNING, hasError, pairFlags, type PairSituation } from './flags.ts';
export { preparePair, preparePairs, type PreparedPair, type PreparedPairs } from './prepare.ts';
export { resolveRead } from './read.ts';
export { alternativeIds, logitDifference, scorePair, softmax, topTokens, type RankedToken } from './score.ts';
export { differingPositions, encodePair, pairTokens, type PairIds } from './tokens.ts';
