import { invariant } from '../../../shared/errors/index.ts';
import { kendall, spearman } from './correlation.ts';

/** How far estimates put sites in the order of their exact effects. */
export interface RankAgreement {
  /** Sites compared. */
  readonly n: number;
  /** Rank correlations of the signed effects; null where they are not defined. */
  readonly spearman: number | null;
  readonly kendall: number | null;
  /** Sites whose estimate has the sign of the exact effect. */
  readonly sameSign: number;
  /** How many of the strongest k by estimate are among the strongest k by exact effect. */
  readonly overlap: { readonly k: number; readonly shared: number };
  /** Largest |estimate − exact|. */
  readonly largestError: number;
}

/** Indices of the k largest absolute values, strongest first; values that are null or NaN are left out. */
export function strongest(values: readonly (number | null)[], k: number): number[] {
  return values
    .flatMap((value, i) => (value === null || Number.isNaN(value) ? [] : [{ i, size: Math.abs(value) }]))
    .sort((a, b) => b.size - a.size || a.i - b.i)
    .slice(0, k)
    .map(({ i }) => i);
}

/** Agreement of estimated and exact effects of the same sites; `k` of the overlap is half of them. */
export function rankAgreement(estimated: readonly number[], exact: readonly number[]): RankAgreement {
  invariant(
    estimated.length === exact.length,
    `${estimated.length} estimates, ${exact.length} exact effects`,
  );
  const n = exact.length;
  const k = Math.ceil(n / 2);
  const top = new Set(strongest(exact, k));
  return {
    n,
    spearman: spearman(estimated, exact),
    kendall: kendall(estimated, exact),
    sameSign: exact.filter((value, i) => Math.sign(value) === Math.sign(estimated[i] ?? 0)).length,
    overlap: { k, shared: strongest(estimated, k).filter((i) => top.has(i)).length },
    largestError: exact.reduce(
      (worst, value, i) => Math.max(worst, Math.abs(value - (estimated[i] ?? 0))),
      0,
    ),
  };
}
