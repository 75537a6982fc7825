import { headWidth, kvHeads, type ModelConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import { elements, type Dim, type Graph, type Shape, type Tensor } from '../graph/index.ts';
import { productDims } from '../graph/shapes.ts';
import type { DecoderFamily, Tap, Weights } from './family.ts';

const MASKED = -1e30;

/** Positions of a batch of sequences ids [B, T], N = B·T rows. */
export interface Positions {
  /** Position of every row, [N]. */
  readonly rows: Tensor;
  /** 0 where a query may see a key, a large negative number where not, [T, T]. */
  readonly causal: Tensor;
}

export function positionsOf(g: Graph, ids: Tensor, rows: Dim): Positions {
  const [B, T] = ids.shape;
  invariant(B !== undefined && T !== undefined, 'ids are [B, T]');
  if (typeof B === 'number' && typeof T === 'number') {
    const each = BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i % T));
    const mask = Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? MASKED : 0));
    return { rows: g.constant('positions', [B * T], each), causal: g.constant('causal', [T, T], mask) };
  }
  const length = b.gather(g, g.op('Shape', [ids]), g.int(1)); // []
  const range = g.op('Range', [g.int(0), length, g.int(1)], {}, [T]); // [T]
  const all = g.op('Expand', [range, g.op('Shape', [ids])], {}, ids.shape); // [B, T]
  const visible = b.lessOrEqual(g, b.unsqueeze(g, range, [0]), b.unsqueeze(g, range, [1])); // [T, T]
  return {
    rows: g.op('Reshape', [all, g.ints([-1])], {}, [rows]),
    causal: b.where(g, visible, 0, MASKED),
  };
}

/** Reshape that works for named sizes too: the shape is put together from `ids` [B, T] at run time. */
function shaped(g: Graph, x: Tensor, ids: Tensor, tail: readonly number[]): Tensor {
  const wanted: Shape = [...ids.shape, ...tail];
  if (elements(wanted) !== undefined) return b.reshape(g, x, wanted);
  const shape = b.concat(g, [g.op('Shape', [ids]), g.ints(tail)], 0);
  return g.op('Reshape', [x, shape], {}, wanted);
}

const flattened = (g: Graph, x: Tensor, rows: Dim, width: number): Tensor =>
  g.op('Reshape', [x, g.ints([-1, width])], {}, [rows, width]);

export interface AttentionPlace {
  readonly g: Graph;
  readonly config: ModelConfig;
  readonly family: DecoderFamily;
  readonly w: Weights;
  readonly layer: number;
  /** [B, T]. */
  readonly ids: Tensor;
  readonly positions: Positions;
  /** Called at every point of `attn.`, in the order of computation; absent where nobody looks. */
  readonly at: Tap | undefined;
  /** Acts on the pattern where it mixes values; absent where there is none. */
  readonly dropout: ((pattern: Tensor) => Tensor) | undefined;
}

/**
 * Causal attention of whole sequences: q [N, H·dh], k and v [N, G·dh] before rotation → attn_out [N, d]. Each
 * of the G key/value heads serves H/G neighbouring query heads.
 */
export function attention(place: AttentionPlace, rows: { q: Tensor; k: Tensor; v: Tensor }): Tensor {
  const { g, config, family, ids, positions } = place;
  const at: Tap = place.at ?? ((_, x) => x);
  const { nHead: H } = config;
  const [dh, G] = [headWidth(config), kvHeads(config)];
  const N = rows.q.shape[0] ?? 1;
  const heads = (point: string, x: Tensor, n: number): Tensor => at(point, shaped(g, x, ids, [n, dh]));
  const turned = (x: Tensor, n: number): Tensor =>
    family.rotate === null
      ? x
      : shaped(g, family.rotate(g, flattened(g, x, N, n * dh), positions.rows, n), ids, [n, dh]);
  const shared = (x: Tensor): Tensor => {
    if (G === H) return x;
    const each = H / G;
    const [B, T] = ids.shape;
    const copies = g.op('Expand', [b.unsqueeze(g, x, [3]), g.ints([1, 1, 1, each, 1])], {}, [
      B ?? 1,
      T ?? 1,
      G,
      each,
      dh,
    ]);
    return shaped(g, copies, ids, [H, dh]);
  };

  const qh = heads('attn.hook_q', rows.q, H); // [B, T, H, dh]
  const kh = heads('attn.hook_k', rows.k, G); // [B, T, G, dh]
  const vh = heads('attn.hook_v', rows.v, G); // [B, T, G, dh]
  const qt = b.transpose(g, b.mul(g, turned(qh, H), 1 / Math.sqrt(dh)), [0, 2, 1, 3]); // [B, H, T, dh]
  const kt = b.transpose(g, shared(turned(kh, G)), [0, 2, 3, 1]); // [B, H, dh, T]
  const vt = b.transpose(g, shared(vh), [0, 2, 1, 3]); // [B, H, T, dh]
  const plain = place.at === undefined && place.dropout === undefined;
  const blocks = plain ? causalBlocks(ids.shape[1]) : [];
  if (blocks.length > 1) {
    const mixed = blockwise(g, { qt, kt, vt }, blocks); // [B, H, T, dh]
    return projected(place, flattened(g, b.transpose(g, mixed, [0, 2, 1, 3]), N, H * dh));
  }
  const scores = at('attn.hook_attn_scores', b.add(g, b.matmul(g, qt, kt), positions.causal)); // [B, H, T, T]
  const pattern = at('attn.hook_pattern', b.softmax(g, scores)); // [B, H, T, T]
  const mixing = place.dropout === undefined ? pattern : place.dropout(pattern);
  const mixed = b.matmul(g, mixing, vt); // [B, H, T, dh]
  const z = at('attn.hook_z', b.transpose(g, mixed, [0, 2, 1, 3])); // [B, T, H, dh]
  return projected(place, flattened(g, z, N, H * dh));
}

/** Rows of queries in a block at least, and blocks at most: more of them cost more than they leave out. */
const BLOCK_ROWS = 128;
const MOST_BLOCKS = 4;

/** Sizes of the blocks of queries in which T known positions are worked off. */
function causalBlocks(T: Dim | undefined): number[] {
  if (typeof T !== 'number') return [];
  const n = Math.max(1, Math.min(MOST_BLOCKS, Math.floor(T / BLOCK_ROWS)));
  return Array.from({ length: n }, (_, i) => Math.floor(((i + 1) * T) / n) - Math.floor((i * T) / n));
}

/**
 * What attention mixes, block of queries by block, each with the keys up to its own end only: with n blocks
 * (n − 1)/2n of all scores, which the causal mask would hide, are never computed. qt and vt [B, H, T, dh], kt
 * [B, H, dh, T] → [B, H, T, dh].
 */
function blockwise(
  g: Graph,
  { qt, kt, vt }: { readonly qt: Tensor; readonly kt: Tensor; readonly vt: Tensor },
  sizes: readonly number[],
): Tensor {
  let end = 0;
  const parts = b.split(g, qt, sizes, 2).map((q, i) => {
    const rows = sizes[i] ?? 0;
    const start = end;
    end += rows;
    const last = i === sizes.length - 1;
    const keys = last ? kt : b.slice(g, kt, 3, 0, end);
    const values = last ? vt : b.slice(g, vt, 2, 0, end);
    const hidden = Float32Array.from({ length: rows * end }, (_, j) =>
      j % end > start + Math.floor(j / end) ? MASKED : 0,
    );
    const scores = b.add(g, b.matmul(g, q, keys), g.constant('causal', [rows, end], hidden)); // [B, H, rows, end]
    return b.matmul(g, b.softmax(g, scores), values); // [B, H, rows, dh]
  });
  return b.concat(g, parts, 2);
}

/**
 * The output projection of z [N, H·dh] → attn_out [N, d], by way of `attn.hook_result` [B, T, H, d] where the
 * hook returns another tensor than it was given. A head's result is the projection of z with all other heads
 * set to 0, without its bias: as costly as H projections, and left out of graphs that do not ask for it.
 */
function projected(place: AttentionPlace, z: Tensor): Tensor {
  const { g, config, family, w, layer, ids, at } = place;
  const { nHead: H, dModel: d } = config;
  const project = (rows: Tensor): Tensor => family.attentionOutput(g, w, layer, rows);
  const whole = project(z); // [N, d]
  if (at === undefined) return whole;
  const dh = headWidth(config);
  const [N, width] = [z.shape[0] ?? 1, H * dh];
  const own = Float32Array.from({ length: H * H }, (_, i) => (i % (H + 1) === 0 ? 1 : 0));
  const byHead = b.unsqueeze(g, b.reshape(g, z, [N, H, dh]), [1]); // [N, 1, H, dh]
  const alone = b.mul(g, byHead, g.constant('own_head', [1, H, H, 1], own)); // [N, H, H, dh]
  const bias = project(g.constant('no_heads', [1, width], new Float32Array(width))); // [1, d]
  const results = b.sub(g, project(flattened(g, alone, productDims([N, H]), width)), bias); // [N·H, d]
  const perHead = shaped(g, results, ids, [H, d]);
  const result = at('attn.hook_result', perHead);
  if (result === perHead) return whole;
  return b.add(g, flattened(g, b.reduceSum(g, result, [2], false), N, d), bias);
}
