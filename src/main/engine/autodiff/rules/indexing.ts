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

/**
 * T where the index of a Gather is a constant 0 … T−1 over and over along the first axis (the positions of a batch
 * of sequences); null otherwise.
 */
function period(c: VjpContext): number | null {
  const init = c.g.initializers.get(c.x(1).id);
  if (init?.kind !== 'inline' || !(init.data instanceof BigInt64Array) || c.attr('axis', 0) !== 0)
    return null;
  const { data } = init;
  const again = data.indexOf(0n, 1);
  const length = again < 0 ? data.length : again;
  const whole = data.length % length === 0 && c.x(1).shape.length === 1;
  return whole && data.every((v, i) => v === BigInt(i % length)) ? length : null;
}

/** The gradient of rows taken over and over: a sum over the repetitions, and zeros for rows never taken. */
function unrepeat(c: VjpContext, length: number): Tensor {
  const [rows, ...rest] = c.x(0).shape;
  const [taken] = c.x(1).shape;
  invariant(typeof rows === 'number' && typeof taken === 'number', 'constant positions of known number');
  const each = b.reshape(c.g, c.dy(0), [taken / length, length, ...rest]);
  const sum = b.reduceSum(c.g, each, [0], false);
  if (rows === length) return sum;
  const pads = [0, ...rest.map(() => 0), rows - length, ...rest.map(() => 0)];
  return c.g.op('Pad', [sum, c.g.ints(pads)], {}, c.x(0).shape);
}

/** Adds the gradient of a Gather to one that has arrived, or to zeros. */
function gathered(c: VjpContext, arrived: Tensor | null): Tensor {
  const length = period(c);
  if (length === null) return ungather(c, arrived ?? zerosLike(c.g, c.x(0)));
  const sum = unrepeat(c, length);
  return arrived === null ? sum : b.add(c.g, arrived, sum);
}

const scatterAlong = (c: VjpContext, index: Tensor): Tensor =>
  c.g.op('ScatterElements', [zerosLike(c.g, c.x(0)), index, c.dy(0)], {
    axis: c.attr('axis', c.node.op === 'TopK' ? -1 : 0),
    reduction: 'add',
  });

/** Rows of an embedding that is also the unembedding are added to its gradient, without zeros of its size first. */
export const INDEXING_ADDING: AddingTable = { Gather: { 0: gathered } };

export const INDEXING: VjpTable = {
  Gather: [(c) => gathered(c, null), null],
  GatherElements: [(c) => scatterAlong(c, c.x(1)), null],
  ScatterElements: [
    scatteredInto,
    null,
    (c) => c.g.op('GatherElements', [c.dy(0), c.x(1)], { axis: c.attr('axis', 0) }),
  ],
  ScatterND: [scatteredInto, null, (c) => c.g.op('GatherND', [c.dy(0), c.x(1)], {}, c.x(2).shape)],
  TopK: [(c) => scatterAlong(c, c.y(1)), null],
};
