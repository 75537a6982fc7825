import { FEWEST_OF_GROUP, relabelings } from './two-sample.ts';

/** Below this many clusters a bootstrap interval says nothing and none is given. */
export const FEWEST_CLUSTERS = 3;

const LEVEL = 0.05;

const independent = (n: number): string => `${n} independent ${n === 1 ? 'pair' : 'pairs'}`;

/** Why a bootstrap interval over so many clusters is refused; null where it is given. */
export function intervalRefusal(clusters: number): string | null {
  if (clusters >= FEWEST_CLUSTERS) return null;
  return `${independent(clusters)} give no interval: a bootstrap needs at least ${FEWEST_CLUSTERS}.`;
}

/** Why treatments (layers) cannot be compared over so many blocks (clusters); null where they can. */
export function friedmanRefusal(blocks: number, treatments: number): string | null {
  if (treatments < 3) {
    return `A Friedman test compares at least 3 layers; ${treatments} ${treatments === 1 ? 'has' : 'have'} values.`;
  }
  if (blocks >= FEWEST_CLUSTERS) return null;
  return `A Friedman test ranks layers within each independent pair: ${blocks} of them cannot show agreement. At least ${FEWEST_CLUSTERS} are needed.`;
}

/**
 * Why two groups of x and y clusters cannot be compared in `tests` comparisons; null where they can. `a` and `b`
 * name the groups.
 */
export function groupRefusal(
  { a, x }: { readonly a: string; readonly x: number },
  { b, y }: { readonly b: string; readonly y: number },
  tests = 1,
): string | null {
  if (Math.min(x, y) < FEWEST_OF_GROUP) {
    return `${a} has ${x} and ${b} ${y} independent pairs; each needs at least ${FEWEST_OF_GROUP}.`;
  }
  const ways = relabelings(x + y, x);
  if (1 / ways <= LEVEL / tests) return null;
  const wanted = (LEVEL / tests).toPrecision(2);
  return `Labels of ${x} and ${y} independent pairs can be permuted in ${ways} ways: no p below ${(1 / ways).toPrecision(2)} is possible, and correcting for ${tests} ${tests === 1 ? 'comparison' : 'comparisons'} needs ${wanted}. More pairs of either would allow it.`;
}

/** Why a correlation of n points, or its interval, is refused; null where it is given. */
export function correlationRefusal(n: number): string | null {
  if (n >= FEWEST_CLUSTERS) return null;
  return `A correlation of ${n} ${n === 1 ? 'point' : 'points'} says nothing: at least ${FEWEST_CLUSTERS} are needed.`;
}
