import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import type { Tensor } from '../../graph/index.ts';
import { transposeLast } from '../helpers.ts';
import type { VjpContext, VjpTable } from '../types.ts';

const flag = (c: VjpContext, name: string): boolean => c.attr(name, 0) === 1;

/** x − mean. LayerNormalization returns mean and 1/deviation of each row, both [N, 1] for x [N, d]. */
const centred = (c: VjpContext): Tensor => c.once('centred', () => b.sub(c.g, c.x(0), c.y(1)));
const weighted = (c: VjpContext): Tensor => c.once('weighted', () => b.mul(c.g, c.dy(0), centred(c)));

function lastAxisOnly(c: VjpContext): void {
  const a = c.attr('axis', -1);
  const rank = c.x(0).shape.length;
  invariant(a === -1 || a === rank - 1, 'gradient of LayerNormalization: only over the last axis');
}

/**
 * With h = dy·scale, r = 1/deviation and z = x − mean: dx = r·(h − mean(h)) − z·r³·mean(h·z) (Ba et al. 2016, with
 * the normalised input written out). Both means are matrix products with scale/d, one pass over the rows each; what
 * is one number a row is worked out before it meets the rows.
 */
function layerNormInput(c: VjpContext): Tensor {
  lastAxisOnly(c);
  const d = c.x(0).shape.at(-1);
  invariant(typeof d === 'number', 'gradient of LayerNormalization: the width must be known');
  const mean = b.reshape(c.g, b.mul(c.g, c.x(1), 1 / d), [d, 1]);
  const meanH = b.matmul(c.g, c.dy(0), mean);
  const meanHZ = b.matmul(c.g, weighted(c), mean);
  const [h, r] = [b.mul(c.g, c.dy(0), c.x(1)), c.y(2)];
  const slope = b.mul(c.g, b.mul(c.g, meanHZ, r), b.mul(c.g, r, r)); // r³·mean(h·z), a number a row
  const level = b.mul(c.g, b.sub(c.g, h, meanH), r);
  return b.sub(c.g, level, b.mul(c.g, centred(c), slope));
}

/** Σ over rows of dy·z·r, [d]: r as a row times the matrix dy·z, where the sizes are known. */
function layerNormGain(c: VjpContext): Tensor {
  const [rows, d] = c.x(0).shape;
  if (c.x(0).shape.length !== 2 || typeof rows !== 'number' || d === undefined)
    return b.mul(c.g, weighted(c), c.y(2));
  return b.squeeze(c.g, b.matmul(c.g, b.reshape(c.g, c.y(2), [1, rows]), weighted(c)), [0]);
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
  LayerNormalization: [layerNormInput, layerNormGain, (c) => c.dy(0)],
};
