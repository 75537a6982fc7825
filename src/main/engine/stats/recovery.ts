import type { Direction } from '../../../shared/domain/index.ts';

/** One pair's metric at one site (`raw`: of the patched run, NaN = no value) beside its two baselines. */
export interface Measured {
  readonly raw: number;
  readonly clean: number;
  readonly corrupted: number;
}

/** The run that is patched into: corrupted for denoising, clean for noising. */
export function baseline(direction: Direction, of: Pick<Measured, 'clean' | 'corrupted'>): number {
  return direction === 'denoising' ? of.corrupted : of.clean;
}

/**
 * Recovery of one pair (METHODS section 2). Denoising: (m − m_corrupted) / (m_clean − m_corrupted), 0 = as
 * corrupted, 1 = as clean. Noising: (m − m_clean) / (m_clean − m_corrupted), 0 = intact, −1 = broken.
 * Null where there is no value or the gap is smaller than `epsilon`.
 */
export function pairRecovery(direction: Direction, value: Measured, epsilon: number): number | null {
  const gap = value.clean - value.corrupted;
  if (!Number.isFinite(value.raw) || !(Math.abs(gap) >= epsilon)) return null;
  return (value.raw - baseline(direction, value)) / gap;
}

/**
 * Headline recovery over pairs: the ratio of means, mean(m − m_base) / |mean m_clean − mean m_corrupted|,
 * both over the pairs that have a value. Null without one, or with a mean gap smaller than `epsilon`.
 */
export function ratioOfMeans(
  direction: Direction,
  values: readonly Measured[],
  epsilon: number,
): number | null {
  const present = values.filter((value) => Number.isFinite(value.raw));
  let effect = 0;
  let gap = 0;
  for (const value of present) {
    effect += value.raw - baseline(direction, value);
    gap += value.clean - value.corrupted;
  }
  return present.length > 0 && Math.abs(gap) >= epsilon * present.length ? effect / Math.abs(gap) : null;
}
