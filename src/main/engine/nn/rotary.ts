import type { Rotary, RotaryScaling } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import * as b from '../graph/builder.ts';
import type { Graph, Tensor } from '../graph/index.ts';

type Scaled<T extends RotaryScaling['type']> = Extract<RotaryScaling, { type: T }>;

/** How a frequency (radians per token) is changed: one row per kind of scaling. */
const SCALINGS: {
  readonly [T in RotaryScaling['type']]: (frequency: number, scaling: Scaled<T>) => number;
} = {
  /** Positions are divided by the factor (Chen et al. 2023). */
  linear: (frequency, { factor }) => frequency / factor,
  /** Llama 3.1 (Grattafiori et al. 2024), as published with its weights. */
  llama3: (frequency, { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContext }) => {
    const turns = (originalContext * frequency) / (2 * Math.PI);
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const share = (turns - low) / (high - low);
    return (1 - share) * (frequency / factor) + share * frequency;
  },
};

function scaled(frequency: number, scaling: RotaryScaling | undefined): number {
  if (scaling === undefined) return frequency;
  return scaling.type === 'linear'
    ? SCALINGS.linear(frequency, scaling)
    : SCALINGS.llama3(frequency, scaling);
}

/** Radians per token of every pair of dimensions, [dims / 2]. */
export function rotaryFrequencies({ base, dims, scaling }: Rotary): Float32Array {
  return Float32Array.from({ length: dims / 2 }, (_, i) => scaled(base ** ((-2 * i) / dims), scaling));
}

interface Turn {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

type Rotation = (g: Graph, rows: Tensor, positions: Tensor, heads: number) => Tensor;

/**
 * Turns rows [N, heads·width] by their positions [N]: each pair (a, b) of the first `dims` of a head becomes
 * (a·cos − b·sin, b·cos + a·sin) of position · frequency; the rest of the head stays.
 */
export function rotation(rotary: Rotary, width: number): Rotation {
  const { dims, interleaved } = rotary;
  const half = dims / 2;
  invariant(Number.isInteger(half) && dims <= width, `rotation of ${dims} of ${width} dimensions`);
  const frequencies = rotaryFrequencies(rotary);
  /** Cosine and sine of a graph's positions, [N, 1, half] each; queries and keys of all layers share them. */
  const known = new WeakMap<Tensor, Turn>();
  const turnOf = (g: Graph, positions: Tensor): Turn => {
    const made = known.get(positions);
    if (made !== undefined) return made;
    const column = b.unsqueeze(g, b.cast(g, positions, 'float32'), [1, 2]); // [N, 1, 1]
    const angles = b.mul(g, column, g.constant('rotary', [1, 1, half], frequencies));
    const turn = { cos: g.op('Cos', [angles]), sin: g.op('Sin', [angles]) };
    known.set(positions, turn);
    return turn;
  };
  return (g, rows, positions, heads) => {
    const N = rows.shape[0] ?? 1;
    const x = b.reshape(g, rows, [N, heads, width]);
    const [turning, rest] = dims === width ? [x] : b.split(g, x, [dims, width - dims], 2);
    invariant(turning !== undefined, 'dimensions that turn');
    const { cos, sin } = turnOf(g, positions);
    const [first, second] = interleaved ? neighbours(g, turning, half) : b.split(g, turning, [half, half], 2);
    invariant(first !== undefined && second !== undefined, 'pairs of dimensions');
    const turned = [
      b.sub(g, b.mul(g, first, cos), b.mul(g, second, sin)),
      b.add(g, b.mul(g, second, cos), b.mul(g, first, sin)),
    ]; // [N, heads, half] each
    const joined = interleaved ? interleave(g, turned, dims) : b.concat(g, turned, 2);
    const whole = rest === undefined ? joined : b.concat(g, [joined, rest], 2);
    return b.reshape(g, whole, [N, heads * width]);
  };
}

/** [N, heads, 2·half] → even and odd dimensions, [N, heads, half] each. */
function neighbours(g: Graph, x: Tensor, half: number): Tensor[] {
  const pairs = b.reshape(g, x, [...x.shape.slice(0, 2), half, 2]);
  return b.split(g, pairs, [1, 1], 3).map((one) => b.squeeze(g, one, [3]));
}

/** The reverse of `neighbours`. */
function interleave(g: Graph, [even, odd]: readonly Tensor[], dims: number): Tensor {
  invariant(even !== undefined && odd !== undefined, 'even and odd dimensions');
  const pairs = b.concat(g, [b.unsqueeze(g, even, [3]), b.unsqueeze(g, odd, [3])], 3);
  return b.reshape(g, pairs, [...even.shape.slice(0, 2), dims]);
}
