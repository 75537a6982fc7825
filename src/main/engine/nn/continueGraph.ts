import { headWidth, kvHeads, type ModelConfig } from '../../../shared/domain/index.ts';
import * as b from '../graph/builder.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import { unembed } from './decoder.ts';
import type { DecoderFamily, Weights } from './family.ts';
import type { WeightSource } from './readGraphs.ts';
import { familyOf } from './registry.ts';

const MASKED = -1e30;

/** Names of one layer's keys and values: those of earlier tokens go in, those of the new ones come out. */
export const cacheNames = (
  layer: number,
): { readonly k: string; readonly v: string; readonly pastK: string; readonly pastV: string } => ({
  k: `k_${layer}`,
  v: `v_${layer}`,
  pastK: `past_k_${layer}`,
  pastV: `past_v_${layer}`,
});

interface Reading {
  readonly g: Graph;
  readonly config: ModelConfig;
  readonly family: DecoderFamily;
  readonly w: Weights;
  /** Position of every new row, [N]. */
  readonly positions: Tensor;
}

/**
 * One text, read on from where it was read before: P earlier tokens whose keys (after rotation) and values are
 * given, N new ones. Inputs `ids` [N], `positions` [N], `past_k_L` and `past_v_L` [P, G·dh] for every layer;
 * outputs `best` int64 [1], the most likely token after the last, and `k_L`, `v_L` [N, G·dh].
 */
export function continueGraph(config: ModelConfig, source: WeightSource): Graph {
  const g = new Graph('continue');
  const w = source(g);
  const family = familyOf(config);
  const ids = g.input('ids', 'int64', ['N']);
  const positions = g.input('positions', 'int64', ['N']);
  const reading = { g, config, family, w, positions };
  const found: { name: string; value: Tensor }[] = [];
  let x = family.embed(g, w, ids, positions); // [N, d]
  for (let layer = 0; layer < config.nLayer; layer++) {
    const { out, k, v } = attendToPast(reading, layer, x); // [N, d], [N, G·dh]
    const names = cacheNames(layer);
    found.push({ name: names.k, value: k }, { name: names.v, value: v });
    const attended = b.add(g, x, out); // [N, d]
    const mid = family.parallel ? x : attended; // [N, d]
    x = b.add(g, attended, family.mlp(g, w, layer, mid).out); // [N, d]
  }
  const last = b.gather(g, x, g.ints([-1])); // [1, d]
  const logits = unembed(g, config, w, family.finalNorm(g, w, last)); // [1, vocabulary]
  g.output('best', g.op('ArgMax', [logits], { axis: 1, keepdims: 0 }));
  for (const { name, value } of found) g.output(name, value);
  return g;
}

/** Attention of N new rows x [N, d] to the P earlier ones and, causally, to themselves → attn_out [N, d]. */
function attendToPast(
  { g, config, family, w, positions }: Reading,
  layer: number,
  x: Tensor,
): { out: Tensor; k: Tensor; v: Tensor } {
  const { nHead: H } = config;
  const [dh, G] = [headWidth(config), kvHeads(config)];
  const each = H / G;
  const names = cacheNames(layer);
  const turned = (rows: Tensor, heads: number): Tensor =>
    family.rotate === null ? rows : family.rotate(g, rows, positions, heads);

  const rows = family.qkv(g, w, layer, x);
  const q = turned(rows.q, H); // [N, H·dh]
  const k = turned(rows.k, G); // [N, G·dh]
  const keys = b.concat(g, [g.input(names.pastK, 'float32', ['P', G * dh]), k], 0); // [P+N, G·dh]
  const values = b.concat(g, [g.input(names.pastV, 'float32', ['P', G * dh]), rows.v], 0); // [P+N, G·dh]
  const M = keys.shape[0] ?? 1;

  const grouped = b.reshape(g, b.mul(g, q, 1 / Math.sqrt(dh)), ['N', G, each, dh]);
  const qg = b.transpose(g, grouped, [1, 2, 0, 3]); // [G, H/G, N, dh]
  const kg = b.transpose(g, b.reshape(g, keys, [M, G, 1, dh]), [1, 2, 3, 0]); // [G, 1, dh, P+N]
  const vg = b.transpose(g, b.reshape(g, values, [M, G, 1, dh]), [1, 2, 0, 3]); // [G, 1, P+N, dh]
  const length = b.gather(g, g.op('Shape', [keys]), g.int(0)); // []
  const range = g.op('Range', [g.int(0), length, g.int(1)], {}, [M]); // [P+N]
  const visible = b.lessOrEqual(g, b.unsqueeze(g, range, [0]), b.unsqueeze(g, positions, [1])); // [N, P+N]
  const scores = b.add(g, b.matmul(g, qg, kg), b.where(g, visible, 0, MASKED)); // [G, H/G, N, P+N]
  const mixed = b.matmul(g, b.softmax(g, scores), vg); // [G, H/G, N, dh]
  const z = b.reshape(g, b.transpose(g, mixed, [2, 0, 1, 3]), ['N', H * dh]); // [N, H·dh]
  return { out: family.attentionOutput(g, w, layer, z), k, v: rows.v };
}
