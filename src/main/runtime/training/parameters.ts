import type { TrainingConfig } from '../../../shared/domain/index.ts';
import { invariant } from '../../../shared/errors/index.ts';
import { DECAYED } from '../../engine/nn/adamw.ts';
import type { Parameter } from '../../engine/nn/trainGraph.ts';
import type { NamedTensor } from '../../models/index.ts';
import { f32, type Value } from '../sessions.ts';

/** Each tensor starts at a multiple of this many values (64 bytes). */
const ALIGNMENT = 16;

interface Place extends Parameter {
  readonly offset: number;
  readonly length: number;
}

/** One stretch of the flat arrays whose tensors are treated alike by weight decay. */
export interface Group {
  readonly from: number;
  readonly to: number;
  readonly decayed: boolean;
}

/** A tensor's part of a flat array (a view, no copy). */
export interface Slot {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

const product = (shape: readonly number[]): number => shape.reduce((n, s) => n * s, 1);

/**
 * Parameters, gradients and both moments of a model, each in one flat array: decayed tensors first, then the
 * others. The gaps between aligned tensors stay 0.
 */
export class ParameterStore {
  readonly parameters: readonly Parameter[];
  readonly groups: readonly Group[];
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  readonly firstMoments: Float32Array;
  readonly secondMoments: Float32Array;
  readonly #places: ReadonlyMap<string, Place>;

  constructor(parameters: readonly Parameter[], decay: TrainingConfig['decay'] = 'matrices') {
    const isDecayed = DECAYED[decay];
    const decayed = parameters.filter((p) => isDecayed(p.shape));
    const others = parameters.filter((p) => !isDecayed(p.shape));
    const places = new Map<string, Place>();
    let at = 0;
    const lay = (list: readonly Parameter[]): number => {
      for (const p of list) {
        const length = product(p.shape);
        places.set(p.name, { ...p, offset: at, length });
        at += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
      }
      return at;
    };
    const border = lay(decayed);
    const end = lay(others);
    this.parameters = [...decayed, ...others];
    this.groups = [
      { from: 0, to: border, decayed: true },
      { from: border, to: end, decayed: false },
    ];
    this.#places = places;
    this.values = new Float32Array(end);
    this.gradients = new Float32Array(end);
    this.firstMoments = new Float32Array(end);
    this.secondMoments = new Float32Array(end);
  }

  /** The part of a flat array that belongs to a parameter (a view, no copy). */
  view(array: Float32Array, name: string): Float32Array {
    const place = this.#places.get(name);
    invariant(place !== undefined, `no parameter ${name}`);
    return array.subarray(place.offset, place.offset + place.length);
  }

  /** As `view`, with the parameter's shape. */
  slot(array: Float32Array, name: string): Slot {
    return { values: this.view(array, name), shape: this.#places.get(name)?.shape ?? [] };
  }

  /** Views of one flat array by parameter name, as feeds or as places for outputs. */
  feeds(array: Float32Array, key: (name: string) => string = (name) => name): Record<string, Value> {
    return Object.fromEntries(
      this.parameters.map((p) => [key(p.name), f32(this.view(array, p.name), p.shape)]),
    );
  }

  /** Views of one flat array as tensors to be saved. */
  tensors(array: Float32Array, key: (name: string) => string = (name) => name): NamedTensor[] {
    return this.parameters.map((p) => ({
      name: key(p.name),
      shape: p.shape,
      data: this.view(array, p.name),
    }));
  }

  /** Copies a tensor's values into a flat array. */
  set(array: Float32Array, name: string, data: Float32Array): void {
    const view = this.view(array, name);
    invariant(view.length === data.length, `parameter ${name} has ${view.length} values, not ${data.length}`);
    view.set(data);
  }
}
