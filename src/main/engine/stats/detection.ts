import { counted, mean, populationSd, type Maybe } from './descriptive.ts';

/** Distance from the grid's mean, in population standard deviations, at which a component is detected. */
const DETECTION_SD = 2;

export interface Detection {
  /** +1: at least 2 SD above the mean; −1: at least 2 SD below; 0: not detected, left out or without a value. */
  readonly sign: readonly (-1 | 0 | 1)[];
  readonly mean: number;
  readonly sd: number;
  /** Sites that were counted. */
  readonly n: number;
}

/**
 * The detection rule of Zhang & Nanda 2024: a component of one declared grid is detected when its mean effect
 * lies at least 2 population SD from the mean over the grid, either side. `mask`: true = counted; structural
 * zeros and trivial sites belong outside it, and sites without a value are left out by themselves. It is a
 * screening rule, not a test. A grid without spread detects nothing.
 */
export function detect(values: readonly Maybe[], mask?: readonly boolean[]): Detection {
  const inside = new Set(counted(values, mask));
  const used = values.filter((value, i): value is number => value !== null && inside.has(i));
  const centre = mean(used);
  const sd = populationSd(used);
  const sign = values.map((value, i): -1 | 0 | 1 => {
    if (value === null || !inside.has(i) || !(sd > 0)) return 0;
    const away = value - centre;
    return Math.abs(away) < DETECTION_SD * sd ? 0 : away > 0 ? 1 : -1;
  });
  return { sign, mean: centre, sd, n: used.length };
}
