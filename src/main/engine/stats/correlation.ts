import { invariant } from '../../../shared/errors/index.ts';
import { mean } from './descriptive.ts';

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let i = start; i < end; i++) result[order[i] ?? 0] = (start + end + 1) / 2;
    start = end;
  }
  return result;
}

/** Product-moment correlation; null below two points or where one side does not vary. */
export function pearson(x: readonly number[], y: readonly number[]): number | null {
  invariant(x.length === y.length, `pearson of ${x.length} and ${y.length} values`);
  if (x.length < 2) return null;
  const mx = mean(x);
  const my = mean(y);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  x.forEach((value, i) => {
    const dx = value - mx;
    const dy = (y[i] ?? 0) - my;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

/** Rank correlation (Pearson of mean ranks); null as `pearson`. */
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  return pearson(ranks(x), ranks(y));
}

/**
 * Kendall's rank correlation with ties (τ-b; Kendall 1945): (concordant − discordant) / √((n₀ − ties in x)(n₀ − ties
 * in y)), n₀ = n(n − 1)/2. Null below two points or where one side does not vary. Quadratic in n.
 */
export function kendall(x: readonly number[], y: readonly number[]): number | null {
  invariant(x.length === y.length, `kendall of ${x.length} and ${y.length} values`);
  let balance = 0;
  let untiedX = 0;
  let untiedY = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      const dx = Math.sign((x[i] ?? 0) - (x[j] ?? 0));
      const dy = Math.sign((y[i] ?? 0) - (y[j] ?? 0));
      balance += dx * dy;
      untiedX += Math.abs(dx);
      untiedY += Math.abs(dy);
    }
  }
  return untiedX > 0 && untiedY > 0 ? balance / Math.sqrt(untiedX * untiedY) : null;
}
