import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';

/** Constants of PyTorch's `GradScaler`. */
export const LOSS_SCALE = { first: 2 ** 16, growth: 2, backOff: 0.5, interval: 2000 } as const;

const LARGEST = 3.4028234663852886e38;

/** Loss scale and the steps taken since it last changed, both float32 []. */
export interface ScaleState {
  readonly scale: Tensor;
  readonly clean: Tensor;
}

/** Whether values, each float32 [], are all finite: bool []. */
export function allFinite(g: Graph, values: readonly Tensor[]): Tensor {
  // Comparisons with what is no number are false.
  const each = values.map((x) => b.lessOrEqual(g, g.op('Abs', [x]), g.scalar(LARGEST)));
  return each.reduce((all, x) => g.op('And', [all, x]));
}

/** The scale for the next step: halved after one that was not finite, doubled after an interval of finite ones. */
export function nextScale(g: Graph, finite: Tensor, { scale, clean }: ScaleState): ScaleState {
  const run = b.add(g, clean, 1);
  const due = b.lessOrEqual(g, g.scalar(LOSS_SCALE.interval), run);
  const kept = b.where(g, due, b.mul(g, scale, LOSS_SCALE.growth), scale);
  return {
    scale: b.where(g, finite, kept, b.mul(g, scale, LOSS_SCALE.backOff)),
    clean: b.where(g, finite, b.where(g, due, 0, run), 0),
  };
}
