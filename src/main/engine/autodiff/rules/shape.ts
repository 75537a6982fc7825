import { invariant } from '../../../../shared/errors/index.ts';
import * as b from '../../graph/builder.ts';
import { shapeText, type Tensor } from '../../graph/index.ts';
import { normalAxis } from '../../graph/shapes.ts';
import { constantInts, reshapeLike } from '../helpers.ts';
import type { Rule, VjpContext, VjpTable } from '../types.ts';

const restore: Rule = (c) => reshapeLike(c.g, c.dy(0), c.x(0));

function inversePermutation(c: VjpContext): Tensor {
  const perm = c.node.attrs['perm'];
  invariant(Array.isArray(perm), 'Transpose without perm');
  const inverse: number[] = [];
  perm.forEach((p, i) => (inverse[Number(p)] = i));
  return b.transpose(c.g, c.dy(0), inverse);
}

/** Zeros before and after a slice along one axis with step 1. */
function unslice(c: VjpContext): Tensor {
  const { shape } = c.x(0);
  const [starts, ends, axes] = [1, 2, 3].map((i) => constantInts(c.g, c.node.inputs[i], 'Slice bounds'));
  const axis = normalAxis(axes?.[0] ?? 0, shape.length, 'Slice');
  const size = shape[axis];
  invariant(
    typeof size === 'number' && starts?.length === 1 && ends?.length === 1 && c.node.inputs.length === 4,
    `gradient of Slice: one axis of known size and step 1, not ${shapeText(shape)}`,
  );
  const clamp = (v: number): number => Math.min(size, Math.max(0, v < 0 ? v + size : v));
  const pads = [...shape, ...shape].map(() => 0);
  pads[axis] = clamp(starts[0] ?? 0);
  pads[shape.length + axis] = size - clamp(ends[0] ?? size);
  return c.g.op('Pad', [c.dy(0), c.g.ints(pads)], {}, shape);
}

/** Input i of a concatenation: its slice of the cotangent. */
const unconcat =
  (input: number): Rule =>
  (c) => {
    const axis = normalAxis(c.attr('axis', 0), c.x(0).shape.length, 'Concat');
    const sizes = c.node.inputs.map((t) => {
      const d = t.shape[axis];
      invariant(typeof d === 'number', 'gradient of Concat: the joined sizes must be known');
      return d;
    });
    const start = sizes.slice(0, input).reduce((s, n) => s + n, 0);
    return b.slice(c.g, c.dy(0), axis, start, start + (sizes[input] ?? 0), sizes[input]);
  };

export const SHAPE: VjpTable = {
  Transpose: [inversePermutation],
  Reshape: [restore, null],
  Unsqueeze: [restore, null],
  Squeeze: [restore, null],
  /** The backward pass sums over the repeated axes. */
  Expand: [(c) => c.dy(0), null],
  Slice: [unslice, null, null, null],
  Concat: unconcat,
  Split: [
    (c) =>
      b.concat(
        c.g,
        c.node.outputs.map((_, i) => c.dy(i)),
        c.attr('axis', 0),
      ),
    null,
  ],
  Trilu: [(c) => c.g.op('Trilu', [c.dy(0), ...c.node.inputs.slice(1)], { upper: c.attr('upper', 1) }), null],
};
