import type { ModelConfig } from '../../../shared/domain/index.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import { familyOf } from '../nn/registry.ts';
import type { Weights } from '../nn/family.ts';
import type { GraphCompiler } from './compiler.ts';

/**
 * The graphs of the packed suffix method. Many patched runs ("variants") lie in one sequence of rows;
 * each holds only its tokens from the first patched one on and attends to the target run's cached keys
 * and values for the tokens before. N rows in all, V variants with up to n queries and S keys each,
 * R cached rows, Z and M extra rows that enter inside the block, D = H·dh.
 */

const MASKED = -1e30;

/** Each weight becomes one external initializer of the graph. */
export function weightsOf(g: Graph, compiler: GraphCompiler): Weights {
  const known = new Map<string, Tensor>();
  return (name) => {
    let tensor = known.get(name);
    if (tensor === undefined) {
      const place = compiler.weight(name);
      tensor = g.external(name, place.shape, place);
      known.set(name, tensor);
    }
    return tensor;
  };
}

interface PackedIndex {
  /** [V, n] rows of q; padding points at row 0. */
  readonly qIndex: Tensor;
  /** [V, n] token position of each query. */
  readonly qPosition: Tensor;
  /** [V, S] rows of concat(cache, packed). */
  readonly kvIndex: Tensor;
  /** [V, S] token position of each key; padding lies beyond every query. */
  readonly kvPosition: Tensor;
}

function packedIndex(g: Graph): PackedIndex {
  return {
    qIndex: g.input('q_index', 'int64', ['V', 'n']),
    qPosition: g.input('q_position', 'int64', ['V', 'n']),
    kvIndex: g.input('kv_index', 'int64', ['V', 'S']),
    kvPosition: g.input('kv_position', 'int64', ['V', 'S']),
  };
}

/** Causal attention of every variant's queries over its own keys: q [Nq, D], k and v [K, D] → z [V·n, D]. */
function packedAttention(
  g: Graph,
  config: ModelConfig,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  index: PackedIndex,
): Tensor {
  const H = config.nHead;
  const dh = config.dModel / H;
  const scaled = b.mul(g, q, 1 / Math.sqrt(dh));
  const heads = (rows: Tensor, at: Tensor, size: string, perm: readonly number[]): Tensor =>
    b.transpose(g, b.reshape(g, b.gather(g, rows, at), ['V', size, H, dh]), perm);
  const qh = heads(scaled, index.qIndex, 'n', [0, 2, 1, 3]); // [V, H, n, dh]
  const kh = heads(k, index.kvIndex, 'S', [0, 2, 3, 1]); // [V, H, dh, S]
  const vh = heads(v, index.kvIndex, 'S', [0, 2, 1, 3]); // [V, H, S, dh]
  const visible = b.lessOrEqual(
    g,
    b.unsqueeze(g, index.kvPosition, [1, 2]), // [V, 1, 1, S]
    b.unsqueeze(g, index.qPosition, [1, 3]), // [V, 1, n, 1]
  );
  const scores = b.where(g, visible, b.matmul(g, qh, kh), MASKED); // [V, H, n, S]
  const mixed = b.matmul(g, b.softmax(g, scores), vh); // [V, H, n, dh]
  return b.reshape(g, b.transpose(g, mixed, [0, 2, 1, 3]), ['V*n', config.dModel]);
}

/** ids [N], positions [N] → x [N, d]. */
export function embedGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const g = new Graph('embed');
  const w = weightsOf(g, compiler);
  const ids = g.input('ids', 'int64', ['N']);
  const positions = g.input('positions', 'int64', ['N']);
  g.output('x', familyOf(config).embed(g, w, ids, positions));
  return g;
}

/**
 * One block over packed rows. Extra rows join inside it: `z_extra` [Z, D] before the output projection
 * (with their residual stream `z_resid` [Z, d]) and `mid_extra` [M, d] before the MLP.
 * Outputs: `y` [N+Z+M, d] after the block (packed rows first), and what a target or source run records:
 * `k`, `v`, `z` [N, D], `attn_out` [N, d], `mid` [N+Z+M, d], `mlp_out` [N+Z+M, d].
 */
export function walkGraph(config: ModelConfig, compiler: GraphCompiler, layer: number): Graph {
  const g = new Graph(`walk_${layer}`);
  const w = weightsOf(g, compiler);
  const family = familyOf(config);
  const d = config.dModel;
  const x = g.input('x', 'float32', ['N', d]);
  const cacheK = g.input('cache_k', 'float32', ['R', d]);
  const cacheV = g.input('cache_v', 'float32', ['R', d]);
  const index = packedIndex(g);
  const outIndex = g.input('out_index', 'int64', ['N']);
  const zExtra = g.input('z_extra', 'float32', ['Z', d]);
  const zResid = g.input('z_resid', 'float32', ['Z', d]);
  const midExtra = g.input('mid_extra', 'float32', ['M', d]);

  const { q, k, v } = family.qkv(g, w, layer, x);
  const kAll = b.concat(g, [cacheK, k], 0);
  const vAll = b.concat(g, [cacheV, v], 0);
  const z = b.gather(g, packedAttention(g, config, q, kAll, vAll, index), outIndex); // [N, D]
  const attnOut = family.attentionOutput(g, w, layer, b.concat(g, [z, zExtra], 0)); // [N+Z, d]
  const attended = b.add(g, b.concat(g, [x, zResid], 0), attnOut); // [N+Z, d]
  const mid = b.concat(g, [attended, midExtra], 0); // [N+Z+M, d]
  const { out } = family.mlp(g, w, layer, mid);
  g.output('y', b.add(g, mid, out));
  g.output('k', k);
  g.output('v', v);
  g.output('z', z);
  g.output('attn_out', attnOut);
  g.output('mid', mid);
  g.output('mlp_out', out);
  return g;
}

/**
 * The last block and the final norm, for the read positions only: the packed rows give keys and values,
 * everything else is computed for one row a variant. `read_index` [V] is each variant's read row.
 * `post_extra` [P, d] enters after the block. Output `h` [V+Z+M+P, d], normalised. A target or source run
 * also records `k`, `v` [N, D] and, for its read row only, `z` [V, D], `attn_out`, `mid` and `mlp_out`.
 */
export function lastGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const layer = config.nLayer - 1;
  const g = new Graph('last');
  const w = weightsOf(g, compiler);
  const family = familyOf(config);
  const d = config.dModel;
  const x = g.input('x', 'float32', ['N', d]);
  const cacheK = g.input('cache_k', 'float32', ['R', d]);
  const cacheV = g.input('cache_v', 'float32', ['R', d]);
  const readIndex = g.input('read_index', 'int64', ['V']);
  const index = packedIndex(g); // here n = 1: query i is the i-th read row
  const zExtra = g.input('z_extra', 'float32', ['Z', d]);
  const zResid = g.input('z_resid', 'float32', ['Z', d]);
  const midExtra = g.input('mid_extra', 'float32', ['M', d]);
  const postExtra = g.input('post_extra', 'float32', ['P', d]);

  const outIndex = g.input('out_index', 'int64', ['V']);

  const xr = b.gather(g, x, readIndex); // [V, d]
  const q = family.queries(g, w, layer, xr);
  const { k, v } = family.keysValues(g, w, layer, x);
  const kAll = b.concat(g, [cacheK, k], 0);
  const vAll = b.concat(g, [cacheV, v], 0);
  const z = b.gather(g, packedAttention(g, config, q, kAll, vAll, index), outIndex); // [V, D]
  const attnOut = family.attentionOutput(g, w, layer, b.concat(g, [z, zExtra], 0));
  const attended = b.add(g, b.concat(g, [xr, zResid], 0), attnOut); // [V+Z, d]
  const mid = b.concat(g, [attended, midExtra], 0);
  const { out } = family.mlp(g, w, layer, mid);
  const post = b.concat(g, [b.add(g, mid, out), postExtra], 0);
  g.output('k', k);
  g.output('v', v);
  g.output('z', z);
  g.output('attn_out', attnOut);
  g.output('mid', mid);
  g.output('mlp_out', out);
  g.output('h', family.finalNorm(g, w, post));
  return g;
}

export interface HeadNeeds {
  /** The normaliser over the whole vocabulary. */
  readonly full: boolean;
  /** Cross-entropy against a given distribution. */
  readonly cross: boolean;
}

/**
 * Unembedding: h [V, d] and columns [U] → `columns` [V, U] logits; with `full` also `lse` [V, 1] (log of the
 * sum of exponentials over the vocabulary); with `cross` also `cross` [V, 1] = Σ p·log P for the
 * distribution `p` [vocabulary, 1].
 */
export function headGraph(config: ModelConfig, compiler: GraphCompiler, needs: HeadNeeds): Graph {
  const g = new Graph(`head${needs.full ? '_full' : ''}${needs.cross ? '_cross' : ''}`);
  const w = weightsOf(g, compiler);
  const h = g.input('h', 'float32', ['V', config.dModel]);
  const columns = g.input('columns', 'int64', ['U']);
  const wu = familyOf(config).unembedding(w);
  if (!needs.full) {
    g.output('columns_out', b.gemm(g, h, b.gather(g, wu, columns), null, { transB: true }));
    return g;
  }
  const logits = b.gemm(g, h, wu, null, { transB: true }); // [V, vocabulary]
  const lse = g.op('ReduceLogSumExp', [logits, g.ints([1])], { keepdims: 1 });
  g.output('columns_out', b.gather(g, logits, columns, 1));
  g.output('lse', lse);
  if (needs.cross) {
    const p = g.input('p', 'float32', [config.vocabSize, 1]);
    g.output('cross', b.matmul(g, b.sub(g, logits, lse), p));
  }
  return g;
}

/** Already normalised rows h [V, d] → all logits [V, vocabulary]. */
export function logitsGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const g = new Graph('logits');
  const w = weightsOf(g, compiler);
  const h = g.input('h', 'float32', ['V', config.dModel]);
  g.output('logits', b.gemm(g, h, familyOf(config).unembedding(w), null, { transB: true }));
  return g;
}
