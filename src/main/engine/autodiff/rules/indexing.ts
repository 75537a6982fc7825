import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import type { Tensor } from '../../graph/index.ts';
import { normalAxis, productDims } from '../../graph/shapes.ts';
import { expandLike, zerosLike } from '../helpers.ts';
import type { AddingTable, VjpContext, VjpTable } from '../types.ts';

/**
 * Adds slices of the cotangent to the rows they came from. ScatterElements, because it adds one value after
 * the other: ScatterND with an addition loses updates of equal indices when it runs on several threads
 * (measured with ONNX Runtime 1.30).
 */
function ungather(c: VjpContext, onto: Tensor): Tensor {
  const [x, index, dy] = [c.x(0), c.x(1), c.dy(0)];
  const axis = normalAxis(c.attr('axis', 0), x.shape.length, 'Gather');
  const picked = productDims(index.shape);
  const shape = [...x.shape.slice(0, axis), picked, ...x.shape.slice(axis + 1)];
  const rows = b.reshape(c.g, dy, shape);
  const column = b.reshape(
    c.g,
    index,
    shape.map((_, i) => (i === axis ? picked : 1)),
  );
  return c.g.op('ScatterElements', [onto, expandLike(c.g, column, rows), rows], {
    axis,
    reduction: 'add',
  });
}

/** Overwritten places get no gradient, added-to ones keep theirs. */
function scatteredInto(c: VjpContext): Tensor {
  const reduction = c.node.attrs['reduction'] ?? 'none';
  if (reduction === 'add') return c.dy(0);
  invariant(reduction === 'none', `gradient of ${c.node.op}: reduction none or add only`);
  return c.g.op(c.node.op, [c.dy(0), c.x(1), zerosLike(c.g, c.x(2))], c.node.attrs);
}

const scatterAlong = (c: VjpContext, index: Tensor): Tensor =>
  c.g.op('ScatterElements', [zerosLike(c.g, c.x(0)), index, c.dy(0)], {
    axis: c.attr('axis', c.node.op === 'TopK' ? -1 : 0),
    reduction: 'add',
  });

/** Rows of an embedding that is also the unembedding are added to its gradient, without zeros of its size first. */
export const INDEXING_ADDING: AddingTable = { Gather: { 0: ungather } };

export const INDEXING: VjpTable = {
  Gather: [(c) => ungather(c, zerosLike(c.g, c.x(0))), null],
  GatherElements: [(c) => scatterAlong(c, c.x(1)), null],
  ScatterElements: [
    scatteredInto,
    null,
    (c) => c.g.op('GatherElements', [c.dy(0), c.x(1)], { axis: c.attr('axis', 0) }),
  ],
  ScatterND: [scatteredInto, null, (c) => c.g.op('GatherND', [c.dy(0), c.x(1)], {}, c.x(2).shape)],
  TopK: [(c) => scatterAlong(c, c.y(1)), null],
};
