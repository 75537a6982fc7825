import type { ModelConfig } from '../../../shared/domain/index.ts';
import { headWidth, kvHeads } from '../../../shared/domain/index.ts';
import type { Graph, Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';

/** What a score stands at where a query may not see a key. */
export const MASKED = -1e30;

/** Where every variant's queries and keys lie: V variants with up to n queries and S keys each. */
export interface PackedIndex {
  /** [V, n] rows of q; padding points at row 0. */
  readonly qIndex: Tensor;
  /** [V, n] token position of each query. */
  readonly qPosition: Tensor;
  /** [V, S] rows of concat(cache, packed). */
  readonly kvIndex: Tensor;
  /** [V, S] token position of each key; padding lies beyond every query. */
  readonly kvPosition: Tensor;
}

export function packedIndex(g: Graph): PackedIndex {
  return {
    qIndex: g.input('q_index', 'int64', ['V', 'n']),
    qPosition: g.input('q_position', 'int64', ['V', 'n']),
    kvIndex: g.input('kv_index', 'int64', ['V', 'S']),
    kvPosition: g.input('kv_position', 'int64', ['V', 'S']),
  };
}

/** Sees scores and pattern, [V, H, n, S] (or [V, G, H/G, n, S] under grouped queries), and may replace them. */
export type SquareTap = (point: string, value: Tensor) => Tensor;

/**
 * Causal attention of every variant's queries over its own keys: q [Nq, H·dh], k and v [K, G·dh] →
 * z [V·n, H·dh]. Query heads that share a key/value head lie one after the other.
 */
export function packedAttention(
  g: Graph,
  config: ModelConfig,
  rows: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor },
  index: PackedIndex,
  tap: SquareTap = (_, x) => x,
): Tensor {
  const { nHead: H } = config;
  const dh = headWidth(config);
  const G = kvHeads(config);
  const grouped = G !== H;
  const gathered = (
    x: Tensor,
    at: Tensor,
    shape: readonly (number | string)[],
    perm: readonly number[],
  ): Tensor => b.transpose(g, b.reshape(g, b.gather(g, x, at), shape), perm);
  const scaled = b.mul(g, rows.q, 1 / Math.sqrt(dh));
  const qh = grouped
    ? gathered(scaled, index.qIndex, ['V', 'n', G, H / G, dh], [0, 2, 3, 1, 4]) // [V, G, H/G, n, dh]
    : gathered(scaled, index.qIndex, ['V', 'n', H, dh], [0, 2, 1, 3]); // [V, H, n, dh]
  const shared = (x: Tensor): Tensor => (grouped ? b.unsqueeze(g, x, [2]) : x);
  const kh = shared(gathered(rows.k, index.kvIndex, ['V', 'S', G, dh], [0, 2, 1, 3])); // [V, G, (1,) S, dh]
  const vh = shared(gathered(rows.v, index.kvIndex, ['V', 'S', G, dh], [0, 2, 1, 3])); // [V, G, (1,) S, dh]
  const visible = b.lessOrEqual(
    g,
    b.unsqueeze(g, index.kvPosition, grouped ? [1, 2, 3] : [1, 2]), // [V, 1, (1,) 1, S]
    b.unsqueeze(g, index.qPosition, grouped ? [1, 2, 4] : [1, 3]), // [V, 1, (1,) n, 1]
  );
  const unseen = b.where(g, visible, 0, MASKED); // one mask for all heads
  const scores = tap('attn.hook_attn_scores', b.add(g, b.matmulTransposed(g, qh, kh), unseen));
  const pattern = tap('attn.hook_pattern', b.softmax(g, scores));
  const mixed = b.matmul(g, pattern, vh); // [V, G, (H/G,) n, dh]
  const back = b.transpose(g, mixed, grouped ? [0, 3, 1, 2, 4] : [0, 2, 1, 3]); // [V, n, G, (H/G,) dh]
  return b.reshape(g, back, ['V*n', H * dh]);
}
