import { counted, sum, type Maybe } from './descriptive.ts';

export interface Localisation {
  readonly k: number;
  /** Sites that were counted. */
  readonly n: number;
  /** Share of the total in the k strongest sites, 0 … 1. */
  readonly topShare: number;
  /** 0 = spread evenly over the sites, towards 1 = in one site. */
  readonly gini: number;
  /** (Σe)² / (n Σe²): 1 = spread evenly, 1/n = in one site. */
  readonly participation: number;
}

/**
 * How concentrated the effects of one grid of component sites are (METHODS section 2), from the positive part
 * of the mean effects. `mask`: true = counted; structural zeros, trivial and residual-stream sites belong
 * outside it. Null where no counted site has a positive effect.
 */
export function localisation(
  values: readonly Maybe[],
  mask: readonly boolean[] | undefined,
  k: number,
): Localisation | null {
  const effects = counted(values, mask)
    .map((i) => Math.max(0, values[i] ?? 0))
    .sort((a, b) => b - a);
  const total = sum(effects);
  const n = effects.length;
  if (!(total > 0)) return null;
  const squares = sum(effects.map((effect) => effect * effect));
  // Descending order: rank from below of effects[i] is n − i.
  const weighted = sum(effects.map((effect, i) => (n - i) * effect));
  return {
    k,
    n,
    topShare: sum(effects.slice(0, k)) / total,
    gini: (2 * weighted) / (n * total) - (n + 1) / n,
    participation: total ** 2 / (n * squares),
  };
}
