import { floats, type Feed } from './compiler.ts';

/** Rows of one width in one growing buffer. */
export class Rows {
  readonly #width: number;
  readonly #capacity: number;
  #data: Float32Array;
  count = 0;

  constructor(width: number, capacity: number) {
    this.#width = width;
    this.#capacity = capacity;
    this.#data = new Float32Array(Math.max(1, capacity) * width);
  }

  push(row: Float32Array): void {
    if ((this.count + 1) * this.#width > this.#data.length) {
      const grown = new Float32Array(Math.max(this.#capacity, 2 * (this.count + 1)) * this.#width);
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(row, this.count * this.#width);
    this.count++;
  }

  row(index: number): Float32Array {
    return this.#data.subarray(index * this.#width, (index + 1) * this.#width);
  }

  /** Takes over the first `rows` rows of a result, without copying them; what follows them stays untouched. */
  take(result: Float32Array, rows: number): void {
    this.#data = result.subarray(0, rows * this.#width);
    this.count = rows;
  }

  feed(): Feed {
    return floats(this.#data.subarray(0, this.count * this.#width), [this.count, this.#width]);
  }
}

export function sumRows(rows: readonly Float32Array[]): Float32Array {
  const [first, ...others] = rows;
  const out = Float32Array.from(first ?? []);
  for (const row of others) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) + (row[i] ?? 0);
  return out;
}
