import * as b from '../../graph/builder.ts';
import type { Graph, Tensor } from '../../graph/index.ts';

/** Beyond these a score difference moves a weight to 0 or 1 within float32; e^δ stays finite. */
const LEAST_DELTA = -15;
const MOST_DELTA = 60;

/**
 * AtP*'s QK-fix for queries (Kramár et al. 2024, eq. 7): the softmax of each patched query row computed exactly,
 * its change times ∂metric/∂pattern, summed over keys. All [R, H, T, T] (query, key); result [R, H, T] by query.
 */
export function queryFix(g: Graph, pattern: Tensor, gradient: Tensor, patchedScores: Tensor): Tensor {
  const change = b.sub(g, b.softmax(g, patchedScores), pattern);
  return b.reduceSum(g, b.mul(g, change, gradient), [3], false);
}

/**
 * AtP*'s QK-fix for keys (Kramár et al. 2024, appendix A.2): a patched key at t moves column t of the scores by
 * δ. With p the weight before, g_t its gradient and G = Σ_k A_k g_k of its row, the row's softmax changes the
 * metric by p(e^δ − 1)/(1 + p(e^δ − 1)) · (g_t − G): METHODS section 7 with the division by 1 − p cancelled,
 * so that it is 0 where p = 1. Summed over queries; result [R, H, T] by key.
 */
export function keyFix(
  g: Graph,
  pattern: Tensor,
  gradient: Tensor,
  scores: Tensor,
  patchedScores: Tensor,
): Tensor {
  const bounded = g.op('Min', [
    g.op('Max', [b.sub(g, patchedScores, scores), g.scalar(LEAST_DELTA)]),
    g.scalar(MOST_DELTA),
  ]);
  const growth = b.mul(g, pattern, b.sub(g, b.exp(g, bounded), 1));
  const moved = b.div(g, growth, b.add(g, growth, 1));
  const mean = b.reduceSum(g, b.mul(g, pattern, gradient), [3]); // [R, H, T, 1]
  return b.reduceSum(g, b.mul(g, moved, b.sub(g, gradient, mean)), [2], false);
}
