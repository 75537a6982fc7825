import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import type { Tensor } from '../../graph/index.ts';
import { transposeLast } from '../helpers.ts';
import type { VjpContext, VjpTable } from '../types.ts';

const flag = (c: VjpContext, name: string): boolean => c.attr(name, 0) === 1;

/** (x − mean)·invstd. LayerNormalization returns both statistics. */
function normalized(c: VjpContext): Tensor {
  return c.once('normalized', () => b.mul(c.g, b.sub(c.g, c.x(0), c.y(1)), c.y(2)));
}
const weighted = (c: VjpContext): Tensor => c.once('weighted', () => b.mul(c.g, c.dy(0), normalized(c)));

function lastAxisOnly(c: VjpContext): void {
  const a = c.attr('axis', -1);
  const rank = c.x(0).shape.length;
  invariant(a === -1 || a === rank - 1, 'gradient of LayerNormalization: only over the last axis');
}

/**
 * With n the normalised input and h = dy·scale: dx = invstd·(h − mean(h) − n·mean(h·n))
 * (Ba et al. 2016). Both means are matrix products with scale/d, one pass over the rows each.
 */
function layerNormInput(c: VjpContext): Tensor {
  lastAxisOnly(c);
  const d = c.x(0).shape.at(-1);
  invariant(typeof d === 'number', 'gradient of LayerNormalization: the width must be known');
  const mean = b.reshape(c.g, b.mul(c.g, c.x(1), 1 / d), [d, 1]);
  const meanH = b.matmul(c.g, c.dy(0), mean);
  const meanHN = b.matmul(c.g, weighted(c), mean);
  const h = b.mul(c.g, c.dy(0), c.x(1));
  const centred = b.sub(c.g, h, b.add(c.g, b.mul(c.g, normalized(c), meanHN), meanH));
  return b.mul(c.g, centred, c.y(2));
}

export const LINEAR: VjpTable = {
  MatMul: [
    (c) => b.matmul(c.g, c.dy(0), transposeLast(c.g, c.x(1))),
    (c) => b.matmul(c.g, transposeLast(c.g, c.x(0)), c.dy(0)),
  ],
  FusedMatMul: [
    (c) => b.matmul(c.g, c.dy(0), c.x(1)),
    (c) => b.matmul(c.g, transposeLast(c.g, c.dy(0)), c.x(0)),
  ],
  Gemm: [
    (c) =>
      flag(c, 'transA')
        ? b.gemm(c.g, c.x(1), c.dy(0), null, { transA: flag(c, 'transB'), transB: true })
        : b.gemm(c.g, c.dy(0), c.x(1), null, { transB: !flag(c, 'transB') }),
    (c) =>
      flag(c, 'transB')
        ? b.gemm(c.g, c.dy(0), c.x(0), null, { transA: true, transB: flag(c, 'transA') })
        : b.gemm(c.g, c.x(0), c.dy(0), null, { transA: !flag(c, 'transA') }),
    (c) => c.dy(0),
  ],
  LayerNormalization: [layerNormInput, weighted, (c) => c.dy(0)],
};
