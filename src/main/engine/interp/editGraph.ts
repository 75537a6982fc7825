import type { Dim, Graph, Tensor } from '../graph/index.ts';
import * as b from '../graph/builder.ts';
import type { Tap } from '../nn/family.ts';

export interface WalkPoints {
  /** Points (`attn.hook_q` …) at which rows may be replaced. */
  readonly edit: readonly string[];
  /** Points that are given out as they stand after any replacement. */
  readonly record: readonly string[];
}

/**
 * Replaces rows at the named points and records others. For each edited point the graph has the inputs
 * `POINT:rows` [E] (which rows; E may be 0), `POINT:mask` and `POINT:values` [E, w]: where the mask is
 * positive, the value stands instead of what was computed. At scores and pattern a row is one head of one
 * variant (index v·H + h) and w = n·S, its whole square. Recorded points are outputs `POINT:out`.
 */
export function editTap(g: Graph, points: WalkPoints): Tap {
  const edited = new Set(points.edit);
  const recorded = new Set(points.record);
  return (point, value) => {
    const out = edited.has(point) ? replaced(g, point, value) : value;
    if (recorded.has(point)) g.output(`${point}:out`, g.op('Identity', [out]));
    return out;
  };
}

function replaced(g: Graph, point: string, value: Tensor): Tensor {
  const square = value.shape.length > 2;
  const width: Dim = square ? `${point}:w` : (value.shape[1] ?? 1);
  const rows = g.input(`${point}:rows`, 'int64', [`${point}:E`]);
  const mask = g.input(`${point}:mask`, 'float32', [`${point}:E`, width]);
  const values = g.input(`${point}:values`, 'float32', [`${point}:E`, width]);
  const flat = square ? g.op('Reshape', [value, squareShape(g, value)], {}, [`${point}:rows`, width]) : value;
  const patched = b.where(g, g.op('Greater', [mask, g.scalar(0)]), values, b.gather(g, flat, rows));
  const scattered = g.op('ScatterND', [flat, b.unsqueeze(g, rows, [1]), patched], {});
  return square ? g.op('Reshape', [scattered, g.op('Shape', [value])], {}, value.shape) : scattered;
}

/** [.., n, S] → the shape [-1, n·S], put together at run time. */
function squareShape(g: Graph, value: Tensor): Tensor {
  const rank = value.shape.length;
  const dims = g.op('Shape', [value]);
  const size = b.mul(g, b.gather(g, dims, g.ints([rank - 2])), b.gather(g, dims, g.ints([rank - 1])));
  return b.concat(g, [g.ints([-1]), size], 0);
}
