/** A value that may not exist (a site that was not run, a ratio without a gap). */
export type Maybe = number | null;

export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
}

/** Standard deviation over the whole population (divisor n), as the detection rule asks; NaN for none. */
export function populationSd(values: ArrayLike<number>): number {
  const centre = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += ((values[i] ?? 0) - centre) ** 2;
  return Math.sqrt(squares / values.length);
}

/** Quantile of ascending values, linear between order statistics (NumPy's default); `q` in [0, 1]. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(sorted.length - 1, below + 1)] ?? low;
  return low + (high - low) * (at - below);
}

/** Indices whose value exists and whose `mask` (true = counted; absent = all) lets them in. */
export function counted(values: readonly Maybe[], mask?: readonly boolean[]): number[] {
  return values.flatMap((value, i) =>
    value !== null && Number.isFinite(value) && (mask === undefined || mask[i] === true) ? [i] : [],
  );
}
