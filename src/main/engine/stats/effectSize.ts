import { mean } from './descriptive.ts';
import { logGamma } from './special.ts';

/** Effect size of paired values against zero: mean / sample SD (Cohen's d_z); null below two or without spread. */
export function cohenDz(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  const sd = Math.sqrt(squares / (values.length - 1));
  // Values that differ by rounding alone have no spread to measure against.
  return sd > Math.abs(centre) * 1e-12 ? centre / sd : null;
}

/** d_z without its bias in small samples (Hedges 1981): d · Γ(m/2) / (√(m/2) Γ((m − 1)/2)), m = n − 1. */
export function hedgesG(values: readonly number[]): number | null {
  const d = cohenDz(values);
  const m = values.length - 1;
  if (d === null || m < 2) return null;
  return d * Math.exp(logGamma(m / 2) - logGamma((m - 1) / 2)) * Math.sqrt(2 / m);
}

/** Cliff's δ of two groups: P(a > b) − P(a < b), from −1 to 1; null where one is empty. */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number | null {
  if (a.length === 0 || b.length === 0) return null;
  let balance = 0;
  for (const x of a) for (const y of b) balance += Math.sign(x - y);
  return balance / (a.length * b.length);
}
