import { describe, expect, it } from 'vitest';
import * as b from '../../../../../src/main/engine/graph/builder.ts';
import { Graph } from '../../../../../src/main/engine/graph/index.ts';
import { toMixedPrecision } from '../../../../../src/main/engine/nn/mixedPrecision.ts';

/** Types of the products' results of a graph after rewriting. */
function products(build: (g: Graph) => void): string[] {
  const g = new Graph('mixed');
  build(g);
  toMixedPrecision(g);
  return g.nodes
    .filter(({ op }) => op === 'MatMul' || op === 'Gemm')
    .map(({ outputs: [y] }) => y?.dtype ?? '');
}

describe('mixed precision', () => {
  it('narrows products of matrices', () => {
    const types = products((g) => {
      b.gemm(g, g.input('x', 'float32', [4, 3]), g.input('w', 'float32', [3, 5]), null);
      b.matmul(g, g.input('p', 'float32', [2, 4, 4]), g.input('v', 'float32', [2, 4, 3]));
    });
    expect(types).toEqual(['float16', 'float16']);
  });

  it('leaves sums over rows and columns that are written as products in float32', () => {
    const types = products((g) => {
      const x = g.input('x', 'float32', [4, 3]);
      b.matmul(g, g.ones(4), x);
      b.matmul(g, x, g.input('gain', 'float32', [3, 1]));
    });
    expect(types).toEqual(['float32', 'float32']);
  });
});
