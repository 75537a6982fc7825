import type { ModelConfig } from '../../../shared/domain/index.ts';
import { headWidth, kvHeads } from '../../../shared/domain/index.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import { familyOf } from '../nn/registry.ts';
import type { Weights } from '../nn/family.ts';
import { packedAttention, packedIndex } from './attention.ts';
import type { GraphCompiler } from './compiler.ts';
import { editTap, type WalkPoints } from './editGraph.ts';

/**
 * The graphs of the packed suffix method. Many patched runs ("variants") lie in one sequence of rows;
 * each holds only its tokens from the first patched one on and attends to the target run's cached keys
 * and values for the tokens before. N rows in all, V variants with up to n queries and S keys each,
 * R cached rows, Z and M extra rows that enter inside the block, D = H·dh, E = G·dh.
 */

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

/** ids [N], positions [N] → `x` [N, d], and its parts `hook_embed` and (learned positions) `hook_pos_embed`. */
export function embedGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const g = new Graph('embed');
  const w = weightsOf(g, compiler);
  const ids = g.input('ids', 'int64', ['N']);
  // A family that turns queries and keys has no use for positions here.
  const positions = config.rotary === undefined ? g.input('positions', 'int64', ['N']) : ids;
  const parts = new Map<string, Tensor>();
  const x = familyOf(config).embed(g, w, ids, positions, (point, value) => {
    parts.set(point, value);
    return value;
  });
  for (const [point, value] of parts)
    g.output(point, b.reshape(g, g.op('Identity', [value]), ['N', config.dModel]));
  g.output('x', g.op('Identity', [x]));
  return g;
}

interface RowInputs {
  readonly x: Tensor;
  readonly cacheK: Tensor;
  readonly cacheV: Tensor;
  /** Positions of the rows, where the family turns queries and keys by them. */
  readonly positions: Tensor | null;
}

function rowInputs(g: Graph, config: ModelConfig): RowInputs {
  const width = kvHeads(config) * headWidth(config);
  return {
    x: g.input('x', 'float32', ['N', config.dModel]),
    cacheK: g.input('cache_k', 'float32', ['R', width]),
    cacheV: g.input('cache_v', 'float32', ['R', width]),
    positions: config.rotary === undefined ? null : g.input('row_position', 'int64', ['N']),
  };
}

/** Turns rows of queries or keys, where the family does. */
function turned(
  g: Graph,
  config: ModelConfig,
  rows: Tensor,
  positions: Tensor | null,
  heads: number,
): Tensor {
  const { rotate } = familyOf(config);
  return rotate === null || positions === null ? rows : rotate(g, rows, positions, heads);
}

/** Graphs of one model are told apart by name. */
const named = ({ edit, record }: WalkPoints): string =>
  edit.length + record.length === 0 ? '' : ` ${edit.join('+')} > ${record.join('+')}`;

/**
 * One block over packed rows. Extra rows join inside it: `z_extra` [Z, D] before the output projection
 * (with the rest of their residual stream, `z_resid` [Z, d]) and `mid_extra` [M, d] before the MLP.
 * Outputs: `y` [N+Z+M, d] after the block (packed rows first), what a target or source run records:
 * `k` (turned), `v` [N, E], `attn.hook_z` [N, D], `hook_attn_out`, `hook_resid_mid`, `hook_mlp_out`
 * [N(+extras), d]; and with `points` those to be recorded. A parallel block has no rows that join at mid.
 */
export function walkGraph(
  config: ModelConfig,
  compiler: GraphCompiler,
  layer: number,
  points: WalkPoints = { edit: [], record: [] },
): Graph {
  const g = new Graph(`walk_${layer}${named(points)}`);
  const w = weightsOf(g, compiler);
  const family = familyOf(config);
  const d = config.dModel;
  const { nHead: H } = config;
  const width = H * headWidth(config);
  const inputs = rowInputs(g, config);
  const index = packedIndex(g);
  const outIndex = g.input('out_index', 'int64', ['N']);
  const zExtra = g.input('z_extra', 'float32', ['Z', width]);
  const zResid = g.input('z_resid', 'float32', ['Z', d]);
  const midExtra = g.input('mid_extra', 'float32', ['M', d]);
  const plain = points.edit.length + points.record.length === 0;
  const tap = editTap(g, points);
  const seen = plain ? undefined : tap;

  const x = tap('hook_resid_pre', inputs.x); // [N, d]
  const projected = family.qkv(g, w, layer, x, seen);
  const q = turned(g, config, tap('attn.hook_q', projected.q), inputs.positions, H); // [N, D]
  const k = turned(g, config, tap('attn.hook_k', projected.k), inputs.positions, kvHeads(config)); // [N, E]
  const v = tap('attn.hook_v', projected.v); // [N, E]
  const rows = { q, k: b.concat(g, [inputs.cacheK, k], 0), v: b.concat(g, [inputs.cacheV, v], 0) };
  const z = tap('attn.hook_z', b.gather(g, packedAttention(g, config, rows, index, tap), outIndex)); // [N, D]
  const attnOut = tap('hook_attn_out', family.attentionOutput(g, w, layer, b.concat(g, [z, zExtra], 0))); // [N+Z, d]
  g.output('k', k);
  g.output('v', v);
  g.output('attn.hook_z', z);
  g.output('hook_attn_out', attnOut);
  if (family.parallel) {
    const { out } = family.mlp(g, w, layer, x, seen);
    const mlpOut = tap('hook_mlp_out', out); // [N, d]
    const rest = b.concat(g, [b.add(g, x, mlpOut), zResid], 0); // z_resid holds its own MLP output
    g.output('hook_mlp_out', mlpOut);
    g.output('y', tap('hook_resid_post', b.concat(g, [b.add(g, rest, attnOut), midExtra], 0)));
    return g;
  }
  const attended = b.add(g, b.concat(g, [x, zResid], 0), attnOut); // [N+Z, d]
  const mid = tap('hook_resid_mid', b.concat(g, [attended, midExtra], 0)); // [N+Z+M, d]
  const { out } = family.mlp(g, w, layer, mid, seen);
  const mlpOut = tap('hook_mlp_out', out);
  g.output('hook_resid_mid', mid);
  g.output('hook_mlp_out', mlpOut);
  g.output('y', tap('hook_resid_post', b.add(g, mid, mlpOut)));
  return g;
}

/**
 * The last block and the final norm, for the read positions only: the packed rows give keys and values,
 * everything else is computed for the Q read rows, `read_index` [Q] (query i of `packedIndex` is read row i,
 * n = 1). `post_extra` [P, d] enters after the block. Output `h` [Q+Z+M+P, d], normalised, and `post`, the
 * same rows before the final norm. A target or source run also records, for its read rows, what `walkGraph` names.
 */
export function lastGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const layer = config.nLayer - 1;
  const g = new Graph('last');
  const w = weightsOf(g, compiler);
  const family = familyOf(config);
  const d = config.dModel;
  const { nHead: H } = config;
  const width = H * headWidth(config);
  const inputs = rowInputs(g, config);
  const readIndex = g.input('read_index', 'int64', ['Q']);
  const index = packedIndex(g);
  const zExtra = g.input('z_extra', 'float32', ['Z', width]);
  const zResid = g.input('z_resid', 'float32', ['Z', d]);
  const midExtra = g.input('mid_extra', 'float32', ['M', d]);
  const postExtra = g.input('post_extra', 'float32', ['P', d]);
  const outIndex = g.input('out_index', 'int64', ['Q']);

  const xr = b.gather(g, inputs.x, readIndex); // [Q, d]
  const readPositions = inputs.positions === null ? null : b.gather(g, inputs.positions, readIndex);
  const q = turned(g, config, family.queries(g, w, layer, xr), readPositions, H);
  const projected = family.keysValues(g, w, layer, inputs.x);
  const k = turned(g, config, projected.k, inputs.positions, kvHeads(config));
  const rows = { q, k: b.concat(g, [inputs.cacheK, k], 0), v: b.concat(g, [inputs.cacheV, projected.v], 0) };
  const z = b.gather(g, packedAttention(g, config, rows, index), outIndex); // [Q, D]
  const attnOut = family.attentionOutput(g, w, layer, b.concat(g, [z, zExtra], 0));
  g.output('k', k);
  g.output('v', projected.v);
  g.output('attn.hook_z', z);
  g.output('hook_attn_out', attnOut);
  let block: Tensor;
  if (family.parallel) {
    const { out } = family.mlp(g, w, layer, xr);
    g.output('hook_mlp_out', out);
    const rest = b.concat(g, [b.add(g, xr, out), zResid], 0); // [Q+Z, d]
    block = b.concat(g, [b.add(g, rest, attnOut), midExtra], 0);
  } else {
    const attended = b.add(g, b.concat(g, [xr, zResid], 0), attnOut); // [Q+Z, d]
    const mid = b.concat(g, [attended, midExtra], 0);
    const { out } = family.mlp(g, w, layer, mid);
    g.output('hook_resid_mid', mid);
    g.output('hook_mlp_out', out);
    block = b.add(g, mid, out);
  }
  const post = b.concat(g, [block, postExtra], 0);
  g.output('post', post);
  g.output('h', family.finalNorm(g, w, post));
  return g;
}

/** Rows before the final norm `post` [Q, d] → `h` [Q, d] with patches inside the norm. */
export function finalGraph(config: ModelConfig, compiler: GraphCompiler, points: WalkPoints): Graph {
  const g = new Graph(`final${named(points)}`);
  const post = g.input('post', 'float32', ['N', config.dModel]);
  const tap = editTap(g, points);
  g.output('h', g.op('Identity', [familyOf(config).finalNorm(g, weightsOf(g, compiler), post, tap)]));
  return g;
}
