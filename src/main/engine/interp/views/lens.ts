import type { ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import { Graph, type Tensor } from '../../graph/index.ts';
import { decoderForward, unembed } from '../../nn/decoder.ts';
import { familyOf } from '../../nn/registry.ts';
import { ints, type GraphCompiler } from '../compiler.ts';
import type { GraphCache } from '../graphCache.ts';
import { weightsOf } from '../graphs.ts';
import { batches, idsFeed } from './prompts.ts';

/** Logits that one run may hold, so that a long prompt of a large vocabulary is read in parts. */
const VALUES_PER_RUN = 2 ** 24;

export interface LensRequest {
  readonly prompt: readonly number[];
  /** Token positions to read, from 0. */
  readonly positions: readonly number[];
  /** Tokens whose logits and probabilities are wanted at every place. */
  readonly track: readonly number[];
  /** How many of the likeliest tokens are wanted at every place. */
  readonly top: number;
}

/**
 * What the residual stream before each block, and behind the last one, would say if the model stopped there.
 * Arrays are row-major over [nLayer + 1, positions, …].
 */
export interface LensResult {
  readonly layers: number;
  readonly positions: readonly number[];
  /** [.., top] likeliest token ids, best first, and their probabilities. */
  readonly topIds: Int32Array;
  readonly topProbs: Float32Array;
  /** [.., tracked tokens]. */
  readonly logits: Float32Array;
  readonly probs: Float32Array;
}

/**
 * Inputs `ids` [1, T], `rows` [R], `track` [U]. With n = (nLayer + 1)·R places, layer by layer: `top_ids` and
 * `top_logits` [n, top], `logits` [n, U], `lse` [n, 1].
 */
function lensGraph(top: number) {
  return (config: ModelConfig, compiler: GraphCompiler): Graph => {
    const g = new Graph(`lens_${top}`);
    const w = weightsOf(g, compiler);
    const rows = g.input('rows', 'int64', ['R']);
    const stream: Tensor[] = [];
    const read = (x: Tensor): number => stream.push(b.gather(g, x, rows));
    decoderForward(g, config, w, g.input('ids', 'int64', ['B', 'T']), {
      hook: (point, value) => {
        if (point.endsWith('.hook_resid_pre')) read(value);
        if (point === `blocks.${config.nLayer - 1}.hook_resid_post`) read(value);
        return value;
      },
    });
    const hidden = familyOf(config).finalNorm(g, w, b.concat(g, stream, 0)); // [n, d]
    const logits = unembed(g, config, w, hidden); // [n, vocabulary]
    const [best, ids] = g.nodeOf('TopK', [logits, g.ints([top])], { axis: -1 });
    invariant(best !== undefined && ids !== undefined, 'TopK gives values and indices');
    g.output('top_logits', best);
    g.output('top_ids', b.cast(g, ids, 'float32')); // exact: vocabularies are far below 2^24
    g.output('logits', b.gather(g, logits, g.input('track', 'int64', ['U']), 1));
    g.output('lse', g.op('ReduceLogSumExp', [logits, g.ints([1])], { keepdims: 1 }));
    return g;
  };
}

/** Logit lens (nostalgebraist 2020) through the final norm, of every layer's residual stream. */
export async function logitLens(cache: GraphCache, request: LensRequest): Promise<LensResult> {
  const { nLayer, vocabSize } = cache.config;
  const { prompt, positions, track, top } = request;
  const layers = nLayer + 1;
  const graph = await cache.get(`lens_${top}`, lensGraph(top));
  const [batch] = batches([prompt], 1);
  invariant(batch !== undefined, 'a prompt');
  const P = positions.length;
  const result: LensResult = {
    layers,
    positions,
    topIds: new Int32Array(layers * P * top),
    topProbs: new Float32Array(layers * P * top),
    logits: new Float32Array(layers * P * track.length),
    probs: new Float32Array(layers * P * track.length),
  };
  const chunk = Math.max(1, Math.floor(VALUES_PER_RUN / (layers * vocabSize)));
  for (let from = 0; from < P; from += chunk) {
    const rows = positions.slice(from, from + chunk);
    const asked = track.length === 0 ? [0] : track;
    const out = await graph.run(
      { ids: idsFeed(batch), rows: ints(rows, [rows.length]), track: ints(asked, [asked.length]) },
      ['top_logits', 'top_ids', 'logits', 'lse'],
    );
    const value = (name: string, i: number): number => out[name]?.[i] ?? Number.NaN;
    for (let layer = 0; layer < layers; layer++) {
      rows.forEach((_, r) => {
        const place = layer * rows.length + r;
        const to = layer * P + from + r;
        const lse = value('lse', place);
        for (let k = 0; k < top; k++) {
          result.topIds[to * top + k] = value('top_ids', place * top + k);
          result.topProbs[to * top + k] = Math.exp(value('top_logits', place * top + k) - lse);
        }
        track.forEach((_id, u) => {
          const logit = value('logits', place * track.length + u);
          result.logits[to * track.length + u] = logit;
          result.probs[to * track.length + u] = Math.exp(logit - lse);
        });
      });
    }
  }
  return result;
}
