import type { ModelConfig } from '../../../shared/domain/index.ts';
import { Graph, type Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import { familyOf } from '../nn/registry.ts';
import type { GraphCompiler } from './compiler.ts';
import { weightsOf } from './graphs.ts';

export interface HeadNeeds {
  /** The normaliser over the whole vocabulary. */
  readonly full: boolean;
  /** Cross-entropy against a given distribution. */
  readonly cross: boolean;
  /** How many tokens stand before the best of given ones. */
  readonly rank: boolean;
}

/**
 * Unembedding: h [V, d] and columns [U] → `columns_out` [V, U] logits; with `full` also `lse` [V, 1] (log of
 * the sum of exponentials over the vocabulary); with `cross` also `cross` [V, 1] = Σ p·log P for the
 * distribution `p` [vocabulary, 1]; with `rank` also `rank` [V, 1], 1 for the top token, of the likeliest of
 * the tokens `ranked` [A].
 */
export function headGraph(config: ModelConfig, compiler: GraphCompiler, needs: HeadNeeds): Graph {
  const g = new Graph(
    `head ${Object.entries(needs)
      .flatMap(([name, on]) => (on ? [name] : []))
      .join('+')}`,
  );
  const w = weightsOf(g, compiler);
  const family = familyOf(config);
  const h = g.input('h', 'float32', ['V', config.dModel]);
  const columns = g.input('columns', 'int64', ['U']);
  if (!needs.full && !needs.cross && !needs.rank) {
    const bias = family.unembeddingBias(w);
    const rows = b.gather(g, family.unembedding(w), columns);
    g.output(
      'columns_out',
      b.gemm(g, h, rows, bias === null ? null : b.gather(g, bias, columns), { transB: true }),
    );
    return g;
  }
  const logits = allLogits(g, config, w, h); // [V, vocabulary]
  g.output('columns_out', b.gather(g, logits, columns, 1));
  const lse =
    needs.full || needs.cross ? g.op('ReduceLogSumExp', [logits, g.ints([1])], { keepdims: 1 }) : null;
  if (lse !== null) g.output('lse', lse);
  if (needs.cross && lse !== null) {
    const p = g.input('p', 'float32', [config.vocabSize, 1]);
    g.output('cross', b.matmul(g, b.sub(g, logits, lse), p));
  }
  if (needs.rank) {
    const own = b.gather(g, logits, g.input('ranked', 'int64', ['A']), 1); // [V, A]
    const best = g.op('ReduceMax', [own, g.ints([1])], { keepdims: 1 }); // [V, 1]
    const before = b.where(g, g.op('Greater', [logits, best]), 1, 0); // [V, vocabulary]
    g.output('rank', b.add(g, b.reduceSum(g, before, [1]), 1));
  }
  return g;
}

function allLogits(g: Graph, config: ModelConfig, w: (name: string) => Tensor, h: Tensor): Tensor {
  const family = familyOf(config);
  return b.gemm(g, h, family.unembedding(w), family.unembeddingBias(w), { transB: true });
}

/** Already normalised rows h [V, d] → all logits [V, vocabulary]. */
export function logitsGraph(config: ModelConfig, compiler: GraphCompiler): Graph {
  const g = new Graph('logits');
  const h = g.input('h', 'float32', ['V', config.dModel]);
  g.output('logits', allLogits(g, config, weightsOf(g, compiler), h));
  return g;
}
