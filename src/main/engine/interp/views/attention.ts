import type { ModelConfig } from '../../../../shared/domain/index.ts';
import { invariant } from '../../../../shared/errors/index.ts';
import { Graph } from '../../graph/index.ts';
import { decoderForward } from '../../nn/decoder.ts';
import type { GraphCompiler } from '../compiler.ts';
import type { GraphCache } from '../graphCache.ts';
import { weightsOf } from '../graphs.ts';
import { batches, idsFeed } from './prompts.ts';

/** Attention weights of one prompt: row-major [layers asked for, heads, queries, keys]. */
export interface AttentionPattern {
  readonly layers: readonly number[];
  readonly heads: number;
  readonly tokens: number;
  readonly weights: Float32Array;
}

const outputName = (layer: number): string => `pattern_${layer}`;

/** Input `ids` [B, T]; one output [B, H, T, T] a layer: how much each query takes from each key. */
function attentionGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const g = new Graph('attention');
  decoderForward(g, config, weightsOf(g, compiler), g.input('ids', 'int64', ['B', 'T']), {
    hook: (point, value) => {
      const layer = /^blocks\.(\d+)\.attn\.hook_pattern$/.exec(point)?.[1];
      if (layer !== undefined) g.output(outputName(Number(layer)), value);
      return value;
    },
  });
  return g;
}

/** Attention patterns (`attn.hook_pattern`) of every head of some layers, prompt by prompt. */
export async function attentionPatterns(
  cache: GraphCache,
  prompts: readonly (readonly number[])[],
  layers: readonly number[],
): Promise<AttentionPattern[]> {
  const { nHead: heads } = cache.config;
  const graph = await cache.get('attention', attentionGraph);
  const results: AttentionPattern[] = [];
  for (const batch of batches(prompts, 1)) {
    const out = await graph.run({ ids: idsFeed(batch) }, layers.map(outputName));
    const { tokens } = batch;
    const weights = new Float32Array(layers.length * heads * tokens * tokens);
    layers.forEach((layer, i) => {
      const values = out[outputName(layer)];
      invariant(values !== undefined, `the pattern of layer ${layer}`);
      weights.set(values, i * heads * tokens * tokens);
    });
    results.push({ layers, heads, tokens, weights });
  }
  return results;
}
