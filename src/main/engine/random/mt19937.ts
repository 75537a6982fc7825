import { invariant } from '../../../shared/errors/index.ts';

const N = 624;
const M = 397;

/**
 * Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), drawing as NumPy's legacy `RandomState` does, so
 * that a seed gives the same splits, permutations and normals here and there. All draws are exact; normals
 * agree up to the platform's `log` and `sqrt`.
 */
export class Mt19937 {
  readonly #state = new Uint32Array(N);
  #index = N;
  #spareNormal: number | null = null;

  /** `seed`: an integer in [0, 2³²). */
  constructor(seed: number) {
    invariant(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff, `seed ${seed} is not in [0, 2^32)`);
    this.#state[0] = seed;
    for (let i = 1; i < N; i++) {
      const previous = this.#at(i - 1);
      this.#state[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
  }

  /** Uniform over [0, 2³²). */
  uint32(): number {
    if (this.#index === N) this.#twist();
    let y = this.#at(this.#index++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** Uniform over the integers [0, max], max < 2³²: masked draws, those above `max` rejected (`random_interval`). */
  interval(max: number): number {
    invariant(Number.isInteger(max) && max >= 0 && max <= 0xffffffff, `interval ${max} is not in [0, 2^32)`);
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** Uniform over [0, 1) with 53 bits (`random_sample`). */
  double(): number {
    const a = this.uint32() >>> 5;
    const b = this.uint32() >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  }

  /** Standard normal by the polar method (`legacy_gauss`: the second of each pair first). */
  normal(): number {
    if (this.#spareNormal !== null) {
      const value = this.#spareNormal;
      this.#spareNormal = null;
      return value;
    }
    for (;;) {
      const x1 = 2 * this.double() - 1;
      const x2 = 2 * this.double() - 1;
      const r2 = x1 * x1 + x2 * x2;
      if (r2 >= 1 || r2 === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(r2)) / r2);
      this.#spareNormal = factor * x1;
      return factor * x2;
    }
  }

  /** A random order of 0 … n − 1 (`RandomState.permutation`): Fisher–Yates from the end. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.interval(i);
      const held = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = held;
    }
    return order;
  }

  #twist(): void {
    for (let i = 0; i < N; i++) {
      const y = (this.#at(i) & 0x80000000) | (this.#at((i + 1) % N) & 0x7fffffff);
      this.#state[i] = this.#at((i + M) % N) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }

  #at(index: number): number {
    return this.#state[index] ?? 0;
  }
}
